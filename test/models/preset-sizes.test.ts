import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PRESETS } from '../../src/contracts/presets.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { Parameter } from '../../src/layers/parameter.js';
import { buildParameters } from '../../src/models/model-parameters.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { useBackend } from '../support/backend.js';

const PTB_WORDS = 10_000;

describe('the presets', () => {
  useBackend();

  for (const preset of Object.keys(PRESETS) as (keyof typeof PRESETS)[]) {
    it(`say how many parameters ${preset} has on PTB`, () => {
      const { tokenizer, model } = resolveExperimentInput({ preset, corpus: 'ptb' });
      const placeholder = new Parameter('placeholder', tf.scalar(0));
      let count = 0;
      buildParameters(model, PTB_WORDS, ({ shape }) => {
        count += shape.reduce((product, size) => product * size, 1);
        return placeholder;
      });
      placeholder.dispose();
      const expected = tokenizer.type === 'word' ? count : null;
      assert.equal(PRESETS[preset].ptbParameterCount, expected);
    });
  }
});
