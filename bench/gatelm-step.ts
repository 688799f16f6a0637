/** gatelm's side of the benchmark: one workload, one process. Prints one JSON line, as bench/peers/pytorch_step.py does. */
import { ModelConfig } from '../src/contracts/model.js';
import { LstmLanguageModel } from '../src/models/lstm-language-model.js';
import { loadBackend } from '../src/tensor/backend.js';
import { clippingScale, gradientNorm } from '../src/training/gradient-norm.js';
import { Sgd } from '../src/training/sgd.js';
import { generateTokensOfStreams } from './generate-streams.js';
import type { Workload } from './workload.js';

const AWD_DROPOUT = {
  kind: 'variational',
  embedding: 0.1,
  input: 0.4,
  hidden: 0.25,
  output: 0.4,
  recurrentWeights: 0.5,
} as const;

const WARM_UP_STEPS = 2;
const MAX_GRAD_NORM = 0.25;

function buildModel(workload: Workload, precision: 'float32' | 'bfloat16'): LstmLanguageModel {
  const { dropout: rate } = workload;
  const standard = { kind: 'standard', input: rate, hidden: rate, output: rate } as const;
  const config = ModelConfig.parse({
    embeddingSize: workload.embeddingSize,
    hiddenSizes: workload.hiddenSizes,
    tieWeights: workload.tied,
    initialization: 'awd-lstm',
    dropout: workload.awd ? AWD_DROPOUT : standard,
  });
  return new LstmLanguageModel(config, workload.vocabularySize, { seed: 1, precision });
}

/** The same pseudo-random ids each time; the first of them are as good as any. */
function randomIds(count: number, vocabularySize: number, salt: number): Int32Array {
  return Int32Array.from(
    { length: count },
    (_, i) => (Math.imul(i + salt, 2654435761) >>> 0) % vocabularySize,
  );
}

function createStep(model: LstmLanguageModel, workload: Workload): () => void {
  const { task, time, batchSize, vocabularySize, awd } = workload;
  const tokens = time * batchSize;
  const batch = {
    inputs: randomIds(tokens, vocabularySize, 1),
    targets: randomIds(tokens, vocabularySize, 2),
    time,
    batchSize,
  };
  switch (task) {
    case 'train': {
      const optimizer = new Sgd({ weightDecay: awd ? 1.2e-6 : 0 });
      const objective = {
        gradientScale: 1 / tokens,
        activationRegularization: awd ? 2 : 0,
        temporalActivationRegularization: awd ? 1 : 0,
      };
      return () => {
        model.accumulateGradients(batch, objective);
        const gradientScale = clippingScale(gradientNorm(model.parameters), MAX_GRAD_NORM);
        optimizer.step(model.parameters, { learningRate: 1, gradientScale });
      };
    }
    case 'evaluate':
      return () => {
        model.losses(batch);
      };
    case 'generate':
      return generateTokensOfStreams(model, batchSize);
    default:
      return task satisfies never;
  }
}

const workload = JSON.parse(process.argv[2]!) as Workload;
const precision = process.argv[3] === 'bfloat16' ? 'bfloat16' : 'float32';
const report = await loadBackend();
const model = buildModel(workload, precision);
const step = createStep(model, workload);
for (let i = 0; i < WARM_UP_STEPS; i++) step();
const start = performance.now();
for (let i = 0; i < workload.steps; i++) step();
const seconds = (performance.now() - start) / 1000;
const tokensPerStep = workload.batchSize * (workload.task === 'generate' ? 1 : workload.time);
const peakBytes = process.resourceUsage().maxRSS * 1024;
const tokensPerSecond = (workload.steps * tokensPerStep) / seconds;
console.log(JSON.stringify({ mode: `${report.kernels} ${precision}`, tokensPerSecond, peakBytes }));
