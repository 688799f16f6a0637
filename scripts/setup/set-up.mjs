/**
 * The order of the steps. Dependencies come first; then better-sqlite3, TensorFlow with its kernels, the TypeScript build
 * and the dashboard run side by side, since they share nothing but node_modules.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine } from './describe.mjs';
import { SetupError } from './failure.mjs';
import { withLock } from './lock.mjs';
import { updateRecord } from './record.mjs';
import { createReport } from './report.mjs';
import { HELP, readSettings } from './settings.mjs';
import { createStamps } from './stamps.mjs';
import { betterSqlite3Step } from './steps/better-sqlite3.mjs';
import { dashboardStep } from './steps/dashboard.mjs';
import { dependenciesStep } from './steps/dependencies.mjs';
import { isDone } from './steps/is-done.mjs';
import { kernelsStep } from './steps/kernels.mjs';
import { tensorflowStep } from './steps/tensorflow.mjs';
import { typescriptStep } from './steps/typescript.mjs';

/** Each group runs in order, beside the others; the first group before all. */
const GROUPS = [
  [dependenciesStep],
  [betterSqlite3Step],
  [tensorflowStep, kernelsStep],
  [typescriptStep],
  [dashboardStep],
];
const STEPS = GROUPS.flat();
const NAMES = STEPS.map(({ name }) => name);

/** Runs what is not done yet. @returns {Promise<number>} the exit code */
export async function setUp({ argv, env, out = process.stdout }) {
  const report = createReport(out);
  try {
    const settings = readSettings(argv, env, NAMES);
    const context = { settings, report, stamps: createStamps(settings.stampsDir) };
    if (settings.help) out.write(HELP);
    else if (settings.report) out.write(`${JSON.stringify(await describeMachine(context, STEPS))}\n`);
    else await runSteps(context);
    return 0;
  } catch (error) {
    report.failed(explained(error));
    return 1;
  } finally {
    report.close();
  }
}

async function runSteps(context) {
  const { settings, report, stamps } = context;
  if (settings.retry) stamps.forgetFailures();
  const nothingDone = STEPS.every((step) => isDone(step, context));
  if (!nothingDone) {
    report.title(`gatelm set-up: Node ${process.versions.node}, ${process.platform} ${process.arch}`);
    settings.cacheDir = usableCacheDir(settings, report);
    const onWait = (holder) => report.line(`waiting for ${holder}`);
    await withLock(settings.lockFile, onWait, async () => {
      const [first, ...others] = GROUPS;
      await runGroup(first, context);
      await allDone(others.map((group) => runGroup(group, context)));
    }).finally(() => updateRecord(context));
  }
  report.ready(updateRecord(context), { quiet: settings.quiet, nothingDone });
}

async function runGroup(group, context) {
  for (const step of group) {
    if (isDone(step, context)) continue;
    context.stamps.forget(step.name); // an interrupted step must not look done
    const notes = await step.run(context);
    context.stamps.write(step.name, { key: step.key(context), ...notes });
  }
}

/** Waits for all, so that nothing is left running, then throws what failed. */
async function allDone(promises) {
  const results = await Promise.allSettled(promises);
  const failures = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  const areExplained = failures.every((failure) => failure instanceof SetupError);
  if (failures.length > 0) throw areExplained && failures[1] ? SetupError.join(failures) : failures[0];
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

/** A SetupError for what the file system refuses as well; anything else is a fault of these scripts. */
function explained(error) {
  if (error instanceof SetupError) return error;
  const write = 'let the user that runs set-up write there';
  const advice = {
    ENOSPC: 'make room on the disk: about 2 GB are needed, half of them for the cache (GATELM_CACHE_DIR)',
    EACCES: write,
    EPERM: write,
    EROFS: 'run set-up where the checkout can be written',
  }[error.code];
  if (!advice) throw error;
  return new SetupError(error.message, { advice: [advice, 'then run the same command again'], cause: error });
}
