/** Where a step's time goes: one workload, one process. Prints one JSON line, see {@link StepProfile}. */
import { loadBackend } from '../src/kernels/backend.js';
import { prepareStep, tokensPerStep } from './gatelm-workload.js';
import { type MachineLimit, measureMachineLimit } from './machine-limit.js';
import { type OpTime, timeOps } from './op-timer.js';
import type { Workload } from './workload.js';

/** All figures are of one step, the mean of those that were timed. */
export interface StepProfile {
  readonly mode: string;
  readonly seconds: number;
  readonly tokens: number;
  /** The longest first; what the step takes besides is JavaScript and the way to TensorFlow and back. */
  readonly ops: readonly OpTime[];
  readonly limit: MachineLimit | null;
}

const WARM_UP_STEPS = 2;

const workload = JSON.parse(process.argv[2]!) as Workload;
const precision = process.argv[3] === 'bfloat16' ? 'bfloat16' : 'float32';
const { kernels } = await loadBackend();
const limit = measureMachineLimit(precision, kernels);
const step = prepareStep(workload, precision, kernels);
for (let i = 0; i < WARM_UP_STEPS; i++) step();
const timer = timeOps();
const start = performance.now();
for (let i = 0; i < workload.steps; i++) step();
const seconds = (performance.now() - start) / 1000 / workload.steps;
const ops = timer
  .times()
  .map((time) => ({
    ...time,
    calls: time.calls / workload.steps,
    seconds: time.seconds / workload.steps,
    flop: time.flop / workload.steps,
  }))
  .sort((a, b) => b.seconds - a.seconds);
const profile: StepProfile = {
  mode: `${kernels.name} ${precision}`,
  seconds,
  tokens: tokensPerStep(workload),
  ops,
  limit,
};
console.log(JSON.stringify(profile));
