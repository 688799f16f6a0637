import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelConfig } from '../../src/contracts/model.js';
import { createModel } from '../../src/models/create-model.js';
import { SeparateState } from '../../src/models/separate-state.js';
import { testKernels, useBackend } from '../support/backend.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

describe('SeparateState', () => {
  useBackend();

  it('keeps a copy as it was while the other one goes on, in place', () => {
    expectNoTensorLeak(() => {
      const config = ModelConfig.parse({ embeddingSize: 4, hiddenSizes: [5, 3] });
      const model = createModel(config, 11, { kernels: testKernels(), seed: 1, precision: 'float32' });
      const state = new SeparateState(model, model.emptyState(1));
      state.use(() => model.read(Int32Array.of(1, 2, 3)));
      const copy = state.copy();
      const next = (of: SeparateState, id: number) => of.use(() => model.nextTokens(Int32Array.of(id), 11));

      const first = next(state, 4);
      next(state, 5);
      assert.deepEqual(next(copy, 4), first);
      next(copy, 5);
      const [one, other] = [state, copy].map((each) => each.take()!);
      assert.deepEqual(one!.toNumbers(), other!.toNumbers());
      one!.dispose();
      other!.dispose();
      model.dispose();
    });
  });
});
