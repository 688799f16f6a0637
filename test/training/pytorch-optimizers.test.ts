import { describe, it } from 'node:test';
import { OptimizerConfig } from '../../src/contracts/training.js';
import { Parameter } from '../../src/layers/parameter.js';
import { createOptimizer } from '../../src/training/create-optimizer.js';
import { NtAsgd } from '../../src/training/nt-asgd.js';
import type { Optimizer } from '../../src/training/optimizer.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { readFixture } from '../support/fixture.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

/** Written by test/fixtures/pytorch-optimizers.py. */
interface Fixture {
  readonly shape: [number, number];
  readonly steps: number;
  readonly optimizers: Readonly<Record<string, { values: number[][]; averages?: number[][] }>>;
}

/** Six updates in float32. */
const TOLERANCE = 2e-6;

/** The same as in the script. */
const OPTIMIZERS = {
  sgd: { type: 'sgd', learningRate: 0.5 },
  'sgd with weight decay': { type: 'sgd', learningRate: 0.5, weightDecay: 0.1 },
  adam: { type: 'adam', learningRate: 0.05 },
  'adam with weight decay': {
    type: 'adam',
    learningRate: 0.05,
    beta1: 0.8,
    beta2: 0.95,
    epsilon: 1e-3,
    weightDecay: 0.1,
  },
  adamw: { type: 'adamw', learningRate: 0.05, beta2: 0.99, weightDecay: 0.1 },
};

describe('an optimizer and torch.optim', () => {
  useBackend();
  const { shape, steps, optimizers } = readFixture<Fixture>('pytorch-optimizers', 1);

  /** One update with the gradient of step k. */
  const update = (optimizer: Optimizer, parameter: Parameter, step: number, learningRate: number) => {
    parameter.accumulate(drawnTensor([...shape], 10 + step));
    optimizer.step([parameter], { learningRate, gradientScale: 1 });
  };

  for (const kernels of KERNELS) {
    for (const [name, options] of Object.entries(OPTIMIZERS)) {
      it(`take the same steps: ${name}, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const config = OptimizerConfig.parse(options);
            const optimizer = createOptimizer(config, testKernels());
            const parameter = new Parameter('p', drawnTensor([...shape], 1));
            for (let step = 0; step < steps; step++) {
              update(optimizer, parameter, step, config.learningRate);
              const expected = optimizers[name]!.values[step]!;
              expectClose(`step ${step}`, parameter.value.dataSync(), expected, TOLERANCE);
            }
            optimizer.dispose();
            parameter.dispose();
          }),
        ));
    }

    it(`average alike, but that torch’s ASGD leaves the first iterate out, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const { values, averages } = optimizers.asgd!;
          const optimizer = new NtAsgd({ weightDecay: 0.1, nonMonotoneInterval: 1 }, testKernels());
          const parameter = new Parameter('p', drawnTensor([...shape], 1));
          for (const loss of [1, 2, 2]) optimizer.afterEvaluation(loss, [parameter]);
          for (let step = 0; step < steps; step++) {
            update(optimizer, parameter, step, 0.5);
            expectClose(`step ${step}`, parameter.value.dataSync(), values[step]!, TOLERANCE);
            // torch: the first average is overwritten by the second iterate, and counts from there
            const expected = values[0]!.map((first, i) =>
              step === 0 ? first : (first + averages![step]![i]! * step) / (step + 1),
            );
            const average = optimizer.evaluationValue(parameter)!.dataSync();
            expectClose(`average after step ${step}`, average, expected, TOLERANCE);
          }
          optimizer.dispose();
          parameter.dispose();
        }),
      ));
  }
});
