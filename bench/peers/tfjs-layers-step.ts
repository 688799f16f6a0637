/** The stock way to train an LSTM language model in Node, as a peer: tf.layers on tfjs-node. Prints one JSON line. */
import { createRequire } from 'node:module';
import util from 'node:util';
import { loadBackend } from '../../src/kernels/backend.js';
import type { Workload } from '../workload.js';

const workload = JSON.parse(process.argv[2]!) as Workload;
await loadBackend({ backend: 'native', kernels: 'composed' });
const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
old.isNullOrUndefined ??= (value) => value === null || value === undefined;
const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node') as typeof import('@tensorflow/tfjs-node');

const { batchSize, time, vocabularySize, embeddingSize, hiddenSizes, steps } = workload;
const model = tf.sequential();
const batchInputShape: [number, number] = [batchSize, time];
model.add(tf.layers.embedding({ inputDim: vocabularySize, outputDim: embeddingSize, batchInputShape }));
for (const units of hiddenSizes) {
  const lstm = {
    units,
    returnSequences: true,
    recurrentInitializer: 'glorotUniform',
    implementation: 2,
  } as const;
  model.add(tf.layers.lstm(lstm));
}
model.add(tf.layers.dense({ units: vocabularySize, activation: 'softmax' }));
model.compile({ optimizer: tf.train.sgd(1), loss: 'sparseCategoricalCrossentropy' });
const inputs = tf.randomUniform([batchSize, time], 0, vocabularySize, 'int32');
const targets = tf.cast(tf.randomUniform([batchSize, time, 1], 0, vocabularySize, 'int32'), 'float32');
await model.trainOnBatch(inputs, targets);
const start = performance.now();
for (let step = 0; step < steps; step++) await model.trainOnBatch(inputs, targets);
const seconds = (performance.now() - start) / 1000;
const tokensPerSecond = (steps * batchSize * time) / seconds;
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ mode: 'tf.layers', tokensPerSecond, peakBytes }));
