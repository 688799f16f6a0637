/**
 * The order of the steps. Dependencies come first; then better-sqlite3, TensorFlow with its kernels, and the TypeScript
 * build run side by side, since they share nothing but node_modules.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { betterSqlite3Step } from './better-sqlite3.mjs';
import { stopCommandsOnSignal } from './command.mjs';
import { dependenciesStep } from './dependencies.mjs';
import { SetupError } from './failure.mjs';
import { kernelsStep } from './kernels.mjs';
import { withLock } from './lock.mjs';
import { readRecord, updateRecord } from './record.mjs';
import { createReport } from './report.mjs';
import { HELP, readSettings } from './settings.mjs';
import { createStamps } from './stamps.mjs';
import { tensorflowStep } from './tensorflow.mjs';
import { typescriptStep } from './typescript-build.mjs';

/**
 * What a step is.
 * @typedef {object} Step
 * @property {string} name as in --steps
 * @property {(context: object) => boolean} isDone whether nothing is to do; reads stamps and hashes, milliseconds
 * @property {(context: object) => Promise<void>} run does it, or throws a SetupError
 */

/** Each inner list runs in order, beside the others; the first group before all. */
const FIRST = [dependenciesStep];
const SIDE_BY_SIDE = [[betterSqlite3Step], [tensorflowStep, kernelsStep], [typescriptStep]];
const STEPS = [...FIRST, ...SIDE_BY_SIDE.flat()];

/** Runs what is not done yet. @returns {Promise<number>} the exit code */
export async function setUp({ argv, env, out = process.stdout }) {
  const report = createReport(out);
  try {
    const settings = readSettings(
      argv,
      env,
      STEPS.map(({ name }) => name),
    );
    if (settings.help) {
      out.write(HELP);
      return 0;
    }
    await runSteps({ settings, report, stamps: createStamps(settings.stampsDir) });
    return 0;
  } catch (error) {
    report.failed(explained(error));
    return 1;
  } finally {
    report.close();
  }
}

/** A SetupError for what the file system refuses as well; anything else is a fault of these scripts. */
function explained(error) {
  if (error instanceof SetupError) return error;
  const advice = {
    ENOSPC: 'make room on the disk: about 2 GB are needed, half of them for the cache (GATELM_CACHE_DIR)',
    EACCES: 'let the user that runs set-up write there',
    EPERM: 'let the user that runs set-up write there',
    EROFS: 'run set-up where the checkout can be written',
  }[error.code];
  if (!advice) throw error;
  return new SetupError(error.message, { advice: [advice, 'then run the same command again'], cause: error });
}

async function runSteps(context) {
  const { settings, report, stamps } = context;
  if (settings.retry) stamps.forgetFailures();
  const nothingDone = pendingSteps(context).length === 0;
  if (!nothingDone) {
    report.title(`gatelm set-up: Node ${process.versions.node}, ${process.platform} ${process.arch}`);
    settings.cacheDir = usableCacheDir(settings, report);
    const stop = stopCommandsOnSignal();
    try {
      await withLock(
        settings.lockFile,
        (holder) => report.line(`waiting for ${holder}`),
        async () => {
          for (const step of FIRST) await runStep(step, context);
          await allDone(SIDE_BY_SIDE.map((group) => runGroup(group, context)));
        },
      );
    } finally {
      stop();
      updateRecord(context);
    }
  }
  updateRecord(context);
  report.ready(readRecord(settings.recordFile), { quiet: settings.quiet, nothingDone });
}

/** The cache folder, or one in node_modules where that cannot be written. */
function usableCacheDir({ cacheDir, modules }, report) {
  try {
    mkdirSync(cacheDir, { recursive: true });
    accessSync(cacheDir, constants.W_OK);
    return cacheDir;
  } catch (error) {
    const instead = join(modules, '.gatelm', 'cache');
    report.warn('cache', `${cacheDir} cannot be written (${error.code}); ${instead} serves instead`);
    return instead;
  }
}

function pendingSteps(context) {
  return STEPS.filter((step) => isWanted(step, context) && !step.isDone(context));
}

function isWanted({ name }, { settings }) {
  return settings.steps.includes(name);
}

async function runGroup(group, context) {
  for (const step of group) await runStep(step, context);
}

async function runStep(step, context) {
  if (!isWanted(step, context) || step.isDone(context)) return;
  context.stamps.forget(step.name); // an interrupted step must not look done
  await step.run(context);
}

/** Waits for all, so that nothing is left running, then throws the first failure. */
async function allDone(promises) {
  const results = await Promise.allSettled(promises);
  const failures = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  if (failures.length > 1 && failures.every((failure) => failure instanceof SetupError)) {
    throw SetupError.join(failures);
  }
  if (failures.length > 0) throw failures[0];
}
