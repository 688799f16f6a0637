import { describe, it } from 'node:test';
import * as tf from '../../src/tensor/tensorflow.js';
import { KERNELS, onKernels, useBackend } from '../support/backend.js';
import { drawnTensor } from '../support/drawn.js';
import { expectClose } from '../support/expect-close.js';
import { readFixture } from '../support/fixture.js';
import { denseGradient } from '../support/gradient-check.js';
import type { LstmSizes } from '../support/naive-lstm.js';
import { recurrentLayer } from '../support/recurrent-layers.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';

type Fixture = { readonly sizes: LstmSizes } & Readonly<
  Record<'output' | 'hidden' | 'cell' | 'dx' | 'dWx' | 'dWh' | 'db', number[]>
>;

/** Both sides compute in float32, in another order. */
const TOLERANCE = 2e-6;

describe('TimeLstm and torch.nn.LSTM', () => {
  useBackend();
  const fixture = readFixture<Fixture>('pytorch-lstm-layer', 1);
  for (const kernels of KERNELS) {
    it(`agree in output, state and gradients, on ${kernels} kernels`, (context) =>
      onKernels(kernels, context, () =>
        expectNoTensorLeak(() => {
          const { time, batchSize, inputSize, hiddenSize } = fixture.sizes;
          const layer = recurrentLayer(fixture.sizes, {
            wx: drawnTensor([inputSize, 4 * hiddenSize], 4),
            wh: drawnTensor([hiddenSize, 4 * hiddenSize], 5),
            b: drawnTensor([4 * hiddenSize], 6),
          });
          const x = drawnTensor([time, batchSize, inputSize], 1) as tf.Tensor3D;
          const dOutput = drawnTensor([time, batchSize, hiddenSize], 7) as tf.Tensor3D;
          layer.putState({
            hidden: drawnTensor([batchSize, hiddenSize], 2) as tf.Tensor2D,
            cell: drawnTensor([batchSize, hiddenSize], 3) as tf.Tensor2D,
          });
          const output = layer.forward(x, true);
          const dx = layer.backward(dOutput);
          const { hidden, cell } = layer.takeState()!;
          expectClose('output', output.dataSync(), fixture.output, TOLERANCE);
          expectClose('hidden', hidden!.dataSync(), fixture.hidden, TOLERANCE);
          expectClose('cell', cell!.dataSync(), fixture.cell, TOLERANCE);
          expectClose('dx', dx.dataSync(), fixture.dx, TOLERANCE);
          expectClose('dWx', denseGradient(layer.weights.wx!), fixture.dWx, TOLERANCE);
          expectClose('dWh', denseGradient(layer.weights.wh!), fixture.dWh, TOLERANCE);
          expectClose('db', denseGradient(layer.weights.b!), fixture.db, TOLERANCE);
          tf.dispose([x, dOutput, output, dx, hidden!, cell!]);
          layer.dispose();
          for (const parameter of layer.parameters) parameter.dispose();
        }),
      ));
  }
});
