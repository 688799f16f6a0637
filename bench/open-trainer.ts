import { CheckpointFolder } from '../src/checkpoints/checkpoint-folder.js';
import type { ExperimentConfig } from '../src/contracts/experiment-config.js';
import type { CorpusSource } from '../src/corpora/corpus-source.js';
import { loadCorpus } from '../src/corpora/load-corpus.js';
import { loadBackend } from '../src/kernels/backend.js';
import { createModel } from '../src/models/create-model.js';
import { provenanceOf } from '../src/tasks/provenance.js';
import { Trainer } from '../src/training/trainer.js';

/**
 * The library's trainer for a config, which writes no samples.
 * @param folder of its checkpoints; it goes on from the last one there
 */
export async function openTrainer(config: ExperimentConfig, source: CorpusSource, folder: string) {
  const backend = await loadBackend();
  const { kernels, report } = backend;
  const { tokenizer, training, precision } = config;
  const corpus = await loadCorpus({ corpus: config.corpus, tokenizer, ...source });
  const { seed } = training;
  const model = createModel(config.model, corpus.vocabulary.size, { kernels, seed, precision });
  const provenance = provenanceOf(backend, corpus);
  const { threads } = report;
  const trainer = new Trainer({
    model,
    optimizer: config.optimizer,
    schedule: config.schedule,
    training,
    splits: corpus.splits,
    sink: new CheckpointFolder(folder),
    sample: null,
    environment: { attempt: 1, backend: report.backend, kernels: report.kernels, threads, provenance },
  });
  return { trainer, model, splits: corpus.splits, report, provenance };
}
