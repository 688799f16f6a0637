/**
 * One training of own-text.ts in a process of its own: resolves the body as POST /experiments does, trains, and prints a JSON
 * line with what came of it.
 *
 *     node dist/bench/own-text-train.js '{"dataDirectory":…,"corpus":…,"body":{…},"sampleTokens":200}'
 */
import { z } from 'zod';
import { openModel } from '../src/checkpoints/model-folder.js';
import { loadCorpus } from '../src/corpora/load-corpus.js';
import { qualityFigures } from '../src/evaluation/sample-quality.js';
import { MODEL, pathOf } from '../src/files/layout.js';
import { generateText } from '../src/generation/generate-text.js';
import { sampleRequest } from '../src/generation/sample-request.js';
import { loadBackend } from '../src/kernels/backend.js';
import { lastOf, trainHere } from './train-here.js';

const Request = z.strictObject({
  dataDirectory: z.string(),
  corpus: z.string(),
  body: z.record(z.string(), z.unknown()),
  sampleTokens: z.int(),
});
const TEMPERATURE = 0.8;

const { dataDirectory, corpus, body, sampleTokens } = Request.parse(JSON.parse(process.argv[2] ?? ''));
const source = { dataDirectory, mirror: null };
const { kernels } = await loadBackend();
const key = `runs/${process.pid}`;
const precision = kernels.hasBfloat16 ? 'bfloat16' : 'float32';
const { config, seconds, events } = await trainHere({ precision, ...body, corpus }, source, key);
const { parameterCount, vocabularySize, stepsPerEpoch } = lastOf(events, 'started');
const { steps = 0, ...succeeded } = lastOf(events, 'succeeded');
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
