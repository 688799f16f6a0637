import { describe, it } from 'node:test';
import { ModelConfig } from '../../src/contracts/model.js';
import { Parameter } from '../../src/layers/parameter.js';
import { buildParameters } from '../../src/models/model-parameters.js';
import type { Tensor } from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { drawnIds, drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { readFixture } from '../support/fixture.js';
import { eventsOf, runTrainer, tinyTraining } from '../support/tiny-training.js';

/** Written by test/fixtures/pytorch-training-steps.py. */
interface Fixture {
  readonly sizes: Readonly<Record<'vocabularySize' | 'time' | 'batchSize' | 'steps' | 'modelSeed', number>>;
  readonly recipes: Readonly<
    Record<
      string,
      {
        readonly model: object;
        readonly optimizer: object;
        readonly training: object;
        readonly meanLoss: number;
        readonly meanGradNorm: number;
        readonly weights: Readonly<Record<string, number[]>>;
      }
    >
  >;
}

/** Of weights up to 3, after two updates in float32 whose sums are made in another order. */
const TOLERANCE = 1e-5;

describe('two updates of a recipe', () => {
  useBackend();
  const { sizes, recipes } = readFixture<Fixture>('pytorch-training-steps', 1);
  const { vocabularySize, time, batchSize, steps, modelSeed } = sizes;
  for (const kernels of KERNELS) {
    for (const [name, recipe] of Object.entries(recipes)) {
      it(`end in PyTorch’s weights with the same masks: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, async () => {
          let position = 0;
          const model = ModelConfig.parse(recipe.model);
          const weights = new Map<string, Tensor>();
          buildParameters(model, vocabularySize, ({ name: weight, shape }) => {
            const parameter = new Parameter(weight, drawnTensor([...shape], 10 + position++, 0.5));
            weights.set(weight, parameter.value);
            return parameter;
          });
          const text = drawnIds(batchSize * steps * time + 1, 1, vocabularySize);
          const run = tinyTraining({
            model,
            optimizer: recipe.optimizer,
            training: { ...recipe.training, epochs: 1, batchSize, bpttLength: time, seed: modelSeed },
            splits: { train: text, valid: text, test: text },
            vocabularySize,
            weights,
          });
          const { events } = await runTrainer(run.trainer);
          const [epoch] = eventsOf(events, 'epoch');
          expectClose('mean loss', [epoch!.trainLoss!], [recipe.meanLoss], TOLERANCE);
          expectClose('mean gradient norm', [epoch!.gradNorm!], [recipe.meanGradNorm], TOLERANCE);
          for (const { name: weight, value } of run.model.parameters) {
            expectClose(weight, value.dataSync(), recipe.weights[weight]!, TOLERANCE);
          }
          run.dispose();
        }));
    }
  }
});
