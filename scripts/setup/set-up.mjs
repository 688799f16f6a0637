/**
 * The order of the steps. Dependencies come first; then better-sqlite3, TensorFlow with its kernels, the TypeScript build
 * and the dashboard run side by side, since they share nothing but node_modules.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, SetupError } from './failure.mjs';
import { withLock } from './lock.mjs';
import { describeMachine, updateRecord } from './record.mjs';
import { createReport } from './report.mjs';
import { HELP, readSettings } from './settings.mjs';
import { createStamps } from './stamps.mjs';
import { betterSqlite3Step } from './steps/better-sqlite3.mjs';
import { dashboardStep } from './steps/dashboard.mjs';
import { dependenciesStep } from './steps/dependencies.mjs';
import { kernelsStep } from './steps/kernels.mjs';
import { circumstancesOf, isDone } from './steps/step.mjs';
import { tensorflowStep } from './steps/tensorflow.mjs';
import { typescriptStep } from './steps/typescript.mjs';

/** Each group runs in order, beside the others. */
const GROUPS = [[betterSqlite3Step], [tensorflowStep, kernelsStep], [typescriptStep], [dashboardStep]];
const STEPS = [dependenciesStep, ...GROUPS.flat()];
const NAMES = STEPS.map(({ name }) => name);
const FILE_ADVICE = [
  'make room on the disk (about 2 GB are needed), or let the user that runs set-up write there',
  'then run the same command again',
];

/** Runs what is not done yet. @returns {Promise<number>} the exit code */
export async function setUp({ argv, env, out = process.stdout }) {
  const report = createReport(out);
  try {
    const settings = readSettings(argv, env, NAMES);
    const context = { settings, report, stamps: createStamps(settings.stampsDir) };
    const pending = () => STEPS.filter((step) => !isDone(step, context)).map(({ name }) => name);
    if (settings.help) out.write(HELP);
    else if (settings.report) out.write(`${JSON.stringify(await describeMachine(context, pending()))}\n`);
    else await runSteps(context, pending);
    return 0;
  } catch (error) {
    const failures = error instanceof AggregateError ? error.errors : [error];
    for (const failure of failures) {
      if (failure instanceof SetupError) report.failed(failure);
      else if (failure.syscall) report.failed(new SetupError(failure.message, undefined, FILE_ADVICE));
      else throw failure; // a fault of these scripts
    }
    return 1;
  }
}

async function runSteps(context, pending) {
  const { settings, report, stamps } = context;
  if (settings.retry) stamps.forgetFailures();
  const nothingDone = pending().length === 0;
  if (!nothingDone) {
    report.title(`gatelm set-up: Node ${process.versions.node}, ${process.platform} ${process.arch}`);
    settings.cacheDir = usableCacheDir(settings, report);
    const onWait = (holder) => report.line(`waiting for ${holder}`);
    await withLock(settings.lockFile, onWait, async () => {
      await runStep(dependenciesStep, context);
      // All are waited for, so that nothing is left running when one fails.
      const results = await Promise.allSettled(GROUPS.map((group) => runGroup(group, context)));
      const failures = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
      if (failures.length > 0) throw new AggregateError(failures);
    }).finally(() => updateRecord(context));
  }
  report.ready(updateRecord(context), { quiet: settings.quiet, nothingDone });
}

async function runGroup(group, context) {
  for (const step of group) await runStep(step, context);
}

async function runStep(step, context) {
  if (isDone(step, context)) return;
  const { settings, report, stamps } = context;
  const key = step.key(context);
  stamps.forget(step.name); // an interrupted step must not look done
  try {
    stamps.write(step.name, { key, ...(await step.run(context)) });
  } catch (error) {
    const advice = step.advice(settings);
    const instead = step.instead?.(settings);
    if (!instead) throw error.syscall ? error : new SetupError(step.failure(settings), error, advice);
    report.warn(step.name, new SetupError(instead, error, advice));
    const reasons = error.reasons ?? [reasonOf(error)];
    stamps.write(step.name, { key, unavailable: true, circumstances: circumstancesOf(settings), reasons });
  }
}

/** The cache folder, or one in node_modules where that cannot be written. */
function usableCacheDir({ cacheDir, modules }, report) {
  try {
    mkdirSync(cacheDir, { recursive: true });
    accessSync(cacheDir, constants.W_OK);
    return cacheDir;
  } catch (error) {
    const instead = join(modules, '.gatelm', 'cache');
    report.line(`! cache: ${cacheDir} cannot be written (${error.code}); ${instead} is used instead`);
    return instead;
  }
}
