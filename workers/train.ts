/** Entry point of a training thread: one task is one attempt at one experiment. */
import { join } from 'node:path';
import { CheckpointFolder } from '../src/checkpoints/checkpoint-folder.js';
import { openInitialModel } from '../src/checkpoints/initial-model.js';
import { describeModel } from '../src/checkpoints/model-folder.js';
import { readStopFlag, type TrainingTask } from '../src/compute/training-task.js';
import type { BackendReport, TrainingOutcome } from '../src/contracts/jobs.js';
import { assertLongEnough } from '../src/corpora/corpus.js';
import { loadCorpus } from '../src/corpora/load-corpus.js';
import { appError, serializeError } from '../src/errors.js';
import { generateText } from '../src/generation/generate-text.js';
import { LstmLanguageModel } from '../src/models/lstm-language-model.js';
import { parametersFromWeights } from '../src/models/lstm-parameters.js';
import { loadBackend } from '../src/tensor/backend.js';
import { Trainer } from '../src/training/trainer.js';

export function probeBackend(): Promise<BackendReport> {
  return loadBackend();
}

/** Trains, posting every event. What goes wrong is the outcome `failed`, not a rejection. */
export default async function train({ job, events, stop }: TrainingTask): Promise<TrainingOutcome> {
  try {
    const report = await loadBackend();
    const { config } = job;
    if (config.precision === 'bfloat16' && report.kernels !== 'fused')
      throw appError('precision-unavailable', { ...report });
    const initial = job.initialDirectory === null ? null : openInitialModel(job.initialDirectory);
    const corpus = await loadCorpus({
      corpus: config.corpus,
      tokenizer: initial?.tokenizer ?? config.tokenizer,
      dataDirectory: job.dataDirectory,
      mirror: job.corporaMirror,
    });
    assertLongEnough(corpus, config.training);
    const { seed, sampleLength } = config.training;
    const vocabularySize = corpus.vocabulary.size;
    const model = new LstmLanguageModel(config.model, vocabularySize, {
      seed,
      precision: config.precision,
      ...(initial && { parameters: parametersFromWeights(config.model, vocabularySize, initial.weights) }),
    });
    const { precision, corpus: corpusName } = config;
    describeModel(
      join(job.experimentDirectory, 'model'),
      { version: 1, model: config.model, vocabularySize, precision, corpus: corpusName },
      corpus.tokenizer,
    );
    const sink = new CheckpointFolder(job.experimentDirectory, config.training);
    if (!job.resume) sink.forgetSnapshot();
    const trainer = new Trainer({
      model,
      optimizer: config.optimizer,
      schedule: config.schedule,
      training: config.training,
      splits: corpus.splits,
      sink,
      sample: () => generateText(model, corpus.tokenizer, sampleRequest(sampleLength, seed)).text,
      environment: { attempt: job.attempt, ...pick(report) },
    });
    const run = trainer.run(() => readStopFlag(stop));
    try {
      for (;;) {
        const { value, done } = await run.next();
        if (done) return value;
        events.postMessage(value);
      }
    } finally {
      trainer.dispose();
      model.dispose();
    }
  } catch (error) {
    return { type: 'failed', error: serializeError(error) };
  } finally {
    events.close();
  }
}

function pick({ backend, kernels, threads }: BackendReport) {
  return { backend, kernels, threads };
}

function sampleRequest(maxTokens: number, seed: number) {
  return {
    prompt: '',
    maxTokens,
    temperature: 0.8,
    topK: 40,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
    stop: [],
    suppressUnknown: true,
    seed,
  };
}
