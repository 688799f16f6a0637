/** gatelm's side of the benchmark: one workload, one process. Prints one JSON line, as bench/peers/pytorch_step.py does. */
import { loadBackend } from '../src/kernels/backend.js';
import { prepareStep, tokensPerStep } from './gatelm-workload.js';
import type { Workload } from './workload.js';

const WARM_UP_STEPS = { train: 2, evaluate: 10, generate: 100 };

const workload = JSON.parse(process.argv[2]!) as Workload;
const precision = process.argv[3] === 'bfloat16' ? 'bfloat16' : 'float32';
const { kernels } = await loadBackend();
const step = prepareStep(workload, precision, kernels);
for (let i = 0; i < WARM_UP_STEPS[workload.task]; i++) step();
const start = performance.now();
for (let i = 0; i < workload.steps; i++) step();
const seconds = (performance.now() - start) / 1000;
const peakBytes = process.resourceUsage().maxRSS * 1024;
const tokensPerSecond = (workload.steps * tokensPerStep(workload)) / seconds;
console.log(JSON.stringify({ mode: `${kernels.name} ${precision}`, tokensPerSecond, peakBytes }));
