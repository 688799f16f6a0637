/** `train --local`: trains with the library in a child process, and writes a model folder. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LocalInferenceExecutor } from '../../compute/local-inference-executor.js';
import { LocalTrainingExecutor } from '../../compute/local-training-executor.js';
import type { TrainingRun } from '../../compute/training-executor.js';
import { parseEnvironment } from '../../contracts/environment.js';
import type { TrainingEvent } from '../../contracts/events.js';
import type { ExperimentConfig } from '../../contracts/experiment-config.js';
import type { TrainingOutcome } from '../../contracts/jobs.js';
import { appError } from '../../errors.js';
import { checkText } from '../../experiments/check-text.js';
import { resolveExperiment } from '../../experiments/resolve-experiment.js';
import { folderName, WorkFolder } from '../../experiments/work-folder.js';
import { askOnInterrupt } from '../ask-on-interrupt.js';
import { describeBackend } from '../describe-backend.js';
import { EXIT } from '../exit-codes.js';
import { readCorpora, storeFile } from '../local/local-corpora.js';
import { ProgressDisplay } from '../progress-display.js';
import { print } from '../server-command.js';
import { describePlan } from './describe-plan.js';
import { describeSuccess } from './follow.js';
import { trainBody } from './train-body.js';
import type { TrainOptions } from './train-options.js';

const CHOICES = [
  { key: 'p', text: 'Pause' },
  { key: 'c', text: 'cancel it' },
  { key: 'w', text: 'go on' },
] as const;
/** Time to write the last checkpoint when the command is stopped. */
const CLOSE_MS = 60_000;

/**
 * @returns the exit code
 * @throws validation-failed, config-conflict, corpus-not-found, corpus-too-short, backend-unavailable, write-failed
 */
export async function trainLocally(options: TrainOptions): Promise<number> {
  if (options.detach)
    throw appError('config-conflict', {
      field: '--detach',
      reason: 'requires a server; cannot be combined with --local',
    });
  const { dataDir, corporaMirror, backend, kernels, threads } = parseEnvironment(process.env);
  const files = { dataDirectory: resolve(dataDir), mirror: corporaMirror };
  const compute = { backend, kernels, threads };
  const executor = new LocalTrainingExecutor({ files, compute, limits: { closeMs: CLOSE_MS } });
  try {
    const report = await executor.warmUp();
    const { file } = options;
    const corpus = file === undefined ? options.corpus : await storeFile(files, file, options.corpus);
    const corpora = readCorpora(files);
    const input = await resolveExperiment(
      { corpora, trainingExecutor: executor },
      await trainBody(options, corpus),
    );
    const warnings = await checkText(corpora, input);
    const {
      name = `${input.preset ?? 'custom'} on ${input.corpus}`,
      tags,
      notes,
      priority,
      ...config
    } = input;
    if (options.dryRun) {
      const plan = { dryRun: true, name, tags, notes, priority, config, warnings };
      print(options, plan, () => describePlan(plan));
      return EXIT.done;
    }
    const out = resolve(options.out ?? join('models', folderName(name)));
    assertFree(out);
    const warned = warnings.map((warning) => `! ${warning}`);
    for (const line of [
      describeBackend(report),
      ...(config.reasons ?? []).map((reason) => `  ${reason}`),
      ...warned,
    ])
      console.error(line);
    const work = await WorkFolder.open(files.dataDirectory, name, config);
    try {
      const outcome = await train(executor, work, config, options);
      if (outcome.type === 'stopped' && outcome.mode === 'cancel') work.remove();
      if (outcome.type !== 'succeeded') return endOf(outcome, options);
      await exportModel(new LocalInferenceExecutor({ files, compute }), work);
      await work.copyModel(out);
      work.remove();
      if (!options.json) console.log(`the model is in ${out}\ngatelm import ${out} serves it`);
      return EXIT.done;
    } finally {
      work.release();
    }
  } finally {
    await executor.close();
  }
}

/** Trains to the end and shows the progress. */
async function train(
  executor: LocalTrainingExecutor,
  work: WorkFolder,
  config: ExperimentConfig,
  { json = false }: TrainOptions,
): Promise<TrainingOutcome> {
  const run = await executor.submit({
    experimentId: work.key,
    attempt: 1,
    config,
    folder: work.key,
    resume: work.isBegun,
    initial: null,
  });
  const display = json ? null : new ProgressDisplay(process.stdout, config.training);
  const onInterrupt = () => {
    display?.hold();
    void askWhatToDo(run).finally(() => display?.release());
  };
  const onTerminate = () => run.stop('pause');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  const take = (event: TrainingEvent) => {
    const stored = work.record(event);
    if (json) console.log(JSON.stringify(stored));
    display?.show(event);
  };
  try {
    take({ type: 'preparing', data: { attempt: 1 } });
    for await (const events of run.events)
      for (const { event } of events) {
        take(event);
        if (event.type !== 'succeeded' || json) continue;
        display?.end();
        console.log(describeSuccess(event.data));
      }
    display?.end();
    return await run.outcome;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  }
}

/** Prints how a training ended that did not succeed. @returns the exit code */
function endOf(outcome: Exclude<TrainingOutcome, { type: 'succeeded' }>, { json }: TrainOptions): number {
  const say = (event: object, text: string) => console.log(json ? JSON.stringify(event) : text);
  const goOn = 'the same command continues from its last checkpoint';
  switch (outcome.type) {
    case 'stopped': {
      const type = outcome.mode === 'pause' ? 'paused' : 'cancelled';
      say({ type, data: {} }, type === 'paused' ? `paused; ${goOn}` : type);
      return EXIT.trainingStopped;
    }
    case 'failed':
      say({ type: 'failed', data: { error: outcome.error } }, `failed: ${outcome.error.message}`);
      return EXIT.trainingFailed;
    case 'interrupted':
      say(
        { type: 'interrupted', data: { reason: outcome.reason, willRestart: false } },
        `interrupted: ${outcome.reason}; ${goOn}`,
      );
      return EXIT.trainingStopped;
    default:
      return outcome satisfies never;
  }
}

async function askWhatToDo(run: TrainingRun): Promise<void> {
  const answer = await askOnInterrupt(CHOICES);
  if (answer !== 'w') run.stop(answer === 'c' ? 'cancel' : 'pause');
}

/** Writes the same weights under PyTorch's names, beside gatelm's own files. */
async function exportModel(executor: LocalInferenceExecutor, { exportKeys }: WorkFolder): Promise<void> {
  try {
    await executor.run({ type: 'export', ...exportKeys, tiedWeights: 'twice' });
  } finally {
    await executor.close();
  }
}

/** Checked before hours of training. */
function assertFree(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  throw appError('config-conflict', { field: '--out', reason: `${folder} is not empty` });
}
