import type { StepProfile } from './gatelm-profile.js';
import { runGatelm } from './side.js';
import type { Workload } from './workload.js';

/** Composed TensorFlow ops first: that is what the kernels are there to replace. */
const MODES = [
  { precision: 'float32', kernels: 'composed' },
  { precision: 'float32', kernels: 'fused' },
  { precision: 'bfloat16', kernels: 'fused' },
] as const;

/** Ops that take less of a step are summed up. */
const LEAST_SHARE = 0.01;

/** Prints where a step's time goes, op by op, in each mode, and gives the profiles. */
export async function profileWorkload(workload: Workload): Promise<StepProfile[]> {
  const profiles: StepProfile[] = [];
  for (const { precision, kernels } of MODES) {
    const [line] = await runGatelm('./gatelm-profile.js', workload, precision, { GATELM_KERNELS: kernels });
    const profile = JSON.parse(line!) as StepProfile;
    printProfile(workload, profile);
    profiles.push(profile);
  }
  return profiles;
}

function printProfile({ name }: Workload, { mode, seconds, tokens, ops, limit }: StepProfile): void {
  const rate = Math.round(tokens / seconds).toLocaleString('en-US');
  console.log(`\n${name}, ${mode}: ${milliseconds(seconds)} ms a step, ${rate} tokens/s`);
  if (limit) {
    const { flopPerSecond, bytesPerSecond } = limit;
    console.log(
      `a large product runs at ${giga(flopPerSecond)} GFLOP/s, memory is read at ${giga(bytesPerSecond)} GB/s`,
    );
  }
  console.log('| op | calls | ms | of the step | GFLOP/s | of the large product |');
  console.log('|---|---:|---:|---:|---:|---:|');
  const shown = ops.filter((op) => op.seconds >= LEAST_SHARE * seconds);
  const others = ops.filter((op) => op.seconds < LEAST_SHARE * seconds);
  for (const { op, calls, seconds: own, flop } of shown) {
    const speed = flop > 0 ? giga(flop / own) : '';
    const share = flop > 0 && limit ? percent(flop / own / limit.flopPerSecond) : '';
    printRow(op, calls, own, percent(own / seconds), speed, share);
  }
  const sum = (list: typeof ops, key: 'calls' | 'seconds') => list.reduce((total, op) => total + op[key], 0);
  const rest = sum(others, 'seconds');
  if (others.length > 0)
    printRow(`${others.length} others`, sum(others, 'calls'), rest, percent(rest / seconds));
  const outside = seconds - sum(ops, 'seconds');
  printRow('JavaScript', '', outside, percent(outside / seconds));
}

function printRow(op: string, calls: number | '', seconds: number, ...cells: string[]): void {
  const count = calls === '' ? '' : String(Math.round(calls * 10) / 10);
  console.log(`| ${[op, count, milliseconds(seconds), ...cells, '', ''].slice(0, 6).join(' | ')} |`);
}

function milliseconds(seconds: number): string {
  return (seconds * 1000).toFixed(2);
}

function giga(value: number): string {
  return (value / 1e9).toFixed(value < 1e11 ? 1 : 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
