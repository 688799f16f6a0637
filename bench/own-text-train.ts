/**
 * One training of own-text.ts in a process of its own: resolves the body as POST /experiments does, trains, and prints a JSON
 * line with what came of it.
 *
 *     node dist/bench/own-text-train.js '{"dataDirectory":…,"corpus":…,"body":{…},"sampleTokens":200}'
 */
import { z } from 'zod';
import { openModel } from '../src/checkpoints/model-folder.js';
import { readCorpora } from '../src/cli/local/local-corpora.js';
import type { TrainingEvent } from '../src/contracts/events.js';
import { loadCorpus } from '../src/corpora/load-corpus.js';
import { qualityFigures } from '../src/evaluation/sample-quality.js';
import { resolveExperiment } from '../src/experiments/resolve-experiment.js';
import { MODEL, pathOf } from '../src/files/layout.js';
import { generateText } from '../src/generation/generate-text.js';
import { sampleRequest } from '../src/generation/sample-request.js';
import { loadBackend } from '../src/kernels/backend.js';
import { trainExperiment } from '../src/tasks/train-experiment.js';

const Request = z.strictObject({
  dataDirectory: z.string(),
  corpus: z.string(),
  body: z.record(z.string(), z.unknown()),
  sampleTokens: z.int(),
});
const TEMPERATURE = 0.8;

const { dataDirectory, corpus, body, sampleTokens } = Request.parse(JSON.parse(process.argv[2] ?? ''));
const source = { dataDirectory, mirror: null };
const { kernels, report } = await loadBackend();
const trainingExecutor = { backendReport: () => report, capacity: () => 1 };
const input = await resolveExperiment(
  { corpora: readCorpora(source), trainingExecutor },
  { ...body, corpus },
);
const { name: _, tags: _t, notes: _n, priority: _p, ...config } = input;
const key = `runs/${process.pid}`;
const events: TrainingEvent[] = [];
const begin = performance.now();
const outcome = await trainExperiment(
  { experimentId: 'own-text', attempt: 1, config, folder: key, resume: false, initial: null },
  source,
  { emit: (event) => events.push(event), readStop: () => null },
);
if (outcome.type !== 'succeeded') throw new Error(JSON.stringify(outcome));
const seconds = (performance.now() - begin) / 1000;
const { parameterCount, vocabularySize, stepsPerEpoch } = find('started');
const { steps = 0, ...succeeded } = find('succeeded');
const { model, tokenizer } = openModel(pathOf(dataDirectory, `${key}/${MODEL}`), kernels);
const { text } = generateText(
  model,
  tokenizer,
  sampleRequest({ temperature: TEMPERATURE, maxTokens: sampleTokens, seed: config.training.seed }),
);
const { splits } = await loadCorpus({ corpus, tokenizer, ...source });
const quality = qualityFigures({ ids: tokenizer.encode(text), characters: text.length }, splits.train);
model.dispose();
const { batchSize, bpttLength } = config.training;
console.log(
  JSON.stringify({
    validBitsPerByte: succeeded.validBitsPerByte,
    testBitsPerByte: succeeded.testBitsPerByte,
    reason: succeeded.reason,
    seconds,
    steps,
    epochs: steps / stepsPerEpoch,
    parameterCount,
    vocabularySize,
    tokenizer: config.tokenizer.type,
    hiddenSizes: config.model.hiddenSizes,
    embeddingSize: config.model.embeddingSize,
    dropout: config.model.dropout.hidden,
    learningRate: config.optimizer.learningRate,
    batchSize,
    bpttLength,
    sample: text,
    quality,
  }),
);

function find<Type extends TrainingEvent['type']>(type: Type) {
  const event = events.find((candidate) => candidate.type === type);
  if (!event) throw new Error(`there is no event ${type}`);
  return event.data as Extract<TrainingEvent, { type: Type }>['data'];
}
