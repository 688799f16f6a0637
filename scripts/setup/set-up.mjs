/**
 * The order of the steps. Dependencies come first; then better-sqlite3, TensorFlow with its kernels, the TypeScript build
 * and the dashboard run side by side, since they share nothing but node_modules.
 */
import { buildToolsAdvice, findPython, missingBuildTools } from './build.mjs';
import { hashOf, readStamps, writeStamp } from './files.mjs';
import { withLock } from './lock.mjs';
import { describeFailure, reasonOf, SetupError, say, secondsSince } from './output.mjs';
import { describeBackend, describeMachine } from './report.mjs';
import { HELP, readSettings } from './settings.mjs';
import { dependencies, GROUPS } from './steps.mjs';

const STEPS = [dependencies, ...GROUPS.flat()];
const NAMES = STEPS.map(({ name }) => name);
/** Variables that might let another attempt succeed. */
const CIRCUMSTANCES = /^(GATELM_(CACHE_DIR|BACKEND|KERNELS)$|PIP_|TFJS_NODE_|CDN_STORAGE$|https?_proxy$)/i;
const FILE_ADVICE =
  'make room there (2 GB are needed), or let this user write there; GATELM_CACHE_DIR names another cache';

/** Runs what is not done yet. @returns {Promise<number>} the exit code */
export async function setUp(args, env) {
  try {
    const settings = readSettings(args, env, NAMES);
    const pending = STEPS.filter((step) => !isDone(step, settings)).map(({ name }) => name);
    if (settings.help) console.log(HELP);
    else if (settings.report) console.log(JSON.stringify(await describeMachine(settings, pending)));
    else await runSteps(settings, pending.length === 0);
    return 0;
  } catch (error) {
    for (const failure of error instanceof AggregateError ? error.errors : [error]) {
      if (!failure.syscall && !(failure instanceof SetupError)) throw failure; // a fault of these scripts
      say(`✗ set-up failed: ${failure.message}${failure.syscall ? `\nto do: ${FILE_ADVICE}` : ''}`);
    }
    return 1;
  }
}

async function runSteps(settings, nothingToDo) {
  if (!nothingToDo) {
    console.log(`gatelm set-up: Node ${process.versions.node}, ${process.platform} ${process.arch}`);
    await withLock(settings.lockFile, say, async () => {
      await runStep(dependencies, settings);
      // All are waited for, so that nothing is left running when one fails.
      const results = await Promise.allSettled(GROUPS.map((group) => runGroup(group, settings)));
      const failures = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
      if (failures.length > 0) throw new AggregateError(failures);
    });
  }
  const { backend, kernels, reasons } = describeBackend(settings);
  const what = backend === 'native' ? `native backend, ${kernels} kernels` : 'WebAssembly backend';
  const slower = reasons.length > 0 ? ': slower' : '';
  if (!settings.quiet || backend === 'wasm')
    console.log(`gatelm set-up: ready, ${what}${slower} (${secondsSince(0)})`);
  if (!settings.quiet && nothingToDo) for (const reason of reasons) say(reason); // a step has just said it otherwise
}

async function runGroup(group, settings) {
  for (const step of group) await runStep(step, settings);
}

async function runStep(step, settings) {
  if (isDone(step, settings)) return;
  const { name } = step;
  const key = step.key(settings);
  const startedAt = performance.now();
  writeStamp(settings.root, name, undefined); // an interrupted step must not look done
  try {
    const { done, ...noted } = await step.run(settings);
    say(`✓ ${name}: ${done} (${secondsSince(startedAt)})`);
    writeStamp(settings.root, name, { key, ...noted });
  } catch (error) {
    const instead = step.instead?.(settings);
    const advice = [...(step.advice ?? []), `${settings.command} --retry`];
    if (step.isNative && missingBuildTools(settings.env).length > 0) advice.unshift(buildToolsAdvice());
    if (error.syscall) advice.unshift(FILE_ADVICE);
    const { tried, output, logFile } = error;
    const what = instead || step.failure;
    const message = tried ? what : `${what}: ${reasonOf(error)}`;
    if (!instead) throw new SetupError(describeFailure(message, error, advice));
    say(`! ${name}: ${describeFailure(message, tried ? { tried } : { output, logFile }, advice)}`);
    const reasons = tried?.map((attempt) => attempt.replace(/ \(log: .*\)$/, '')) ?? [reasonOf(error)];
    writeStamp(settings.root, name, { key: withCircumstances(key, settings), reasons });
  }
}

/** Whether a step has nothing to do. One that gave up is tried again when the circumstances change. */
function isDone(step, settings) {
  if (!settings.steps.includes(step.name) || step.applies?.(settings) === false) return true;
  const stamp = readStamps(settings.root)[step.name];
  const key = step.key(settings);
  if (stamp?.reasons) return !settings.retry && stamp.key === withCircumstances(key, settings);
  return stamp?.key === key && step.isThere(settings);
}

function withCircumstances(key, { env }) {
  const names = Object.keys(env).filter((name) => CIRCUMSTANCES.test(name));
  const variables = names.sort().map((name) => `${name}=${env[name]}`);
  return hashOf(key, ...variables, findPython(env) ?? '', ...missingBuildTools(env));
}
