import { join } from 'node:path';
import { CheckpointFolder } from '../checkpoints/checkpoint-folder.js';
import { describeModel } from '../checkpoints/model-folder.js';
import type { TrainingEvent } from '../contracts/events.js';
import type { BackendReport, FileSource, StopMode, TrainingJob, TrainingOutcome } from '../contracts/jobs.js';
import { assertLongEnough, type Corpus } from '../corpora/corpus.js';
import { loadCorpus } from '../corpora/load-corpus.js';
import { appError, serializeError } from '../errors.js';
import { qualityFigures } from '../evaluation/sample-quality.js';
import { MODEL, pathOf } from '../files/layout.js';
import { generateText } from '../generation/generate-text.js';
import { sampleRequest } from '../generation/sample-request.js';
import { loadBackend } from '../kernels/backend.js';
import { createModel } from '../models/create-model.js';
import { Trainer } from '../training/trainer.js';
import { forkWarning } from './fork-warning.js';
import { openInitial } from './open-initial.js';
import { provenanceOf } from './provenance.js';

/** Sampling options of the sample of an epoch. */
const SAMPLING = { temperature: 0.8, topK: 40 } as const;

/** Connection between a training and its caller. */
export interface TrainingContext {
  /** Receives each event, in order. */
  emit(event: TrainingEvent): void;
  /** Called at each step: the requested stop, if any. */
  readStop(): StopMode | null;
}

/** One attempt at one experiment. An error becomes the outcome `failed`, not a rejection. */
export async function trainExperiment(
  job: TrainingJob,
  source: FileSource,
  { emit, readStop }: TrainingContext,
): Promise<TrainingOutcome> {
  try {
    const backend = await loadBackend();
    const { kernels, report } = backend;
    const { config } = job;
    const folder = pathOf(source.dataDirectory, job.folder);
    if (config.precision === 'bfloat16' && !kernels.hasBfloat16)
      throw appError('precision-unavailable', { ...report });
    const initial = await openInitial(job, source);
    const corpus = await loadCorpus({
      corpus: config.corpus,
      tokenizer: initial?.tokenizer ?? config.tokenizer,
      ...source,
    });
    assertLongEnough(corpus, config.training);
    const { seed, sampleLength } = config.training;
    const vocabularySize = corpus.vocabulary.size;
    const model = createModel(config.model, vocabularySize, {
      kernels,
      seed,
      precision: config.precision,
      ...(initial && { weights: initial.weights }),
    });
    const { precision, corpus: corpusName } = config;
    describeModel(
      join(folder, MODEL),
      { version: 1, model: config.model, vocabularySize, precision, corpus: corpusName },
      corpus.tokenizer,
    );
    const sink = new CheckpointFolder(folder, config.training);
    if (!job.resume) sink.forgetSnapshot();
    const trainer = new Trainer({
      model,
      optimizer: config.optimizer,
      schedule: config.schedule,
      training: config.training,
      splits: corpus.splits,
      textSizes: { valid: sizeOf(corpus, 'valid'), test: sizeOf(corpus, 'test') },
      unknownRate: corpus.statistics.valid.unknownRate,
      sink,
      storedEpoch: job.storedEpoch,
      sample: () => {
        const request = sampleRequest({ ...SAMPLING, maxTokens: sampleLength, seed });
        const { text } = generateText(model, corpus.tokenizer, request);
        const written = { ids: corpus.tokenizer.encode(text), characters: text.length };
        return { text, quality: qualityFigures(written, corpus.splits.train) };
      },
      environment: { attempt: job.attempt, ...pick(report), provenance: provenanceOf(backend, corpus) },
    });
    const warning = initial && !job.resume ? forkWarning(corpus) : null;
    const { pauseAtEpoch = Number.POSITIVE_INFINITY } = job;
    const run = trainer.run(() => readStop() ?? (trainer.progress.epoch >= pauseAtEpoch ? 'pause' : null));
    try {
      for (;;) {
        const { value, done } = await run.next();
        if (done) return value;
        emit(value);
        if (value.type === 'started' && warning) emit(warning);
      }
    } finally {
      trainer.dispose();
      model.dispose();
    }
  } catch (error) {
    return { type: 'failed', error: serializeError(error) };
  }
}

function sizeOf({ bytes, hiddenNats }: Corpus, split: 'valid' | 'test') {
  return { bytes: bytes[split], hiddenNats: hiddenNats[split] };
}

function pick({ backend, kernels, threads }: BackendReport) {
  return { backend, kernels, threads };
}
