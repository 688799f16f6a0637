/** The library alone, no server: learns from the embedded corpus, then writes. node dist/examples/library.js [FOLDER] */
import {
  CheckpointFolder,
  createModel,
  ExperimentConfig,
  generateText,
  loadBackend,
  loadCorpus,
  Trainer,
} from 'gatelm';

const folder = process.argv[2] ?? './data';
const { kernels, report } = await loadBackend();
const environment = { attempt: 1, ...report };
const config = ExperimentConfig.parse({
  model: { embeddingSize: 64, hiddenSizes: [64] },
  training: { epochs: 2, seed: 1 },
});
const corpus = await loadCorpus({ ...config, dataDirectory: folder });
const { model: modelConfig, precision } = config;
const model = createModel(modelConfig, corpus.vocabulary.size, { kernels, seed: 1, precision });
const sink = new CheckpointFolder(`${folder}/library-example`); // a second run goes on from its last checkpoint
const trainer = new Trainer({ ...config, model, splits: corpus.splits, sink, sample: null, environment });

for await (const { type, data } of trainer.run(() => null)) {
  if (type === 'epoch') console.log(`epoch ${data.epoch}: valid perplexity ${data.validPerplexity}`);
}
const sampling = {
  temperature: 0.7,
  topK: 40,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  suppressUnknown: true,
};
const request = { prompt: 'The', maxTokens: 40, stop: [], seed: 1, ...sampling };
console.log(request.prompt + generateText(model, corpus.tokenizer, request).text);
