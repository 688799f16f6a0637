/**
 * `npm run bench`: gatelm and its peers side by side, interleaved, several rounds. Prints one table a workload and
 * writes everything as JSON.
 *
 *     npm run bench -- --rounds 3 --only 650 --out bench.json
 *     npm run bench -- --against ../before       beside another checkout, and not beside other libraries
 *     npm run bench -- --profile --only 650      where a step's time goes
 *     npm run bench -- --scaling                 tokens/s over sizes and threads, drawn in docs/scaling.svg
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { loadBackend } from '../src/kernels/backend.js';
import { medianOf } from './median.js';
import { profileWorkload } from './profile.js';
import { measureScaling } from './scaling.js';
import {
  checkoutSide,
  gatelmSide,
  type Measurement,
  pytorchSide,
  type Side,
  tfjsLayersSide,
} from './side.js';
import { WORKLOADS, type Workload } from './workload.js';

/** Rates of one mode over all rounds, tokens per second. */
interface Row {
  readonly mode: string;
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
  readonly peakBytes: number;
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
    against: { type: 'string' },
    profile: { type: 'boolean', default: false },
    scaling: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const sides = availableSides();
  const { report } = await loadBackend();
  console.log(
    `${cpus()[0]?.model.trim()}, ${cpus().length} processors; ${report.backend}, ${report.kernels} kernels`,
  );
  const results = options.scaling ? await measureScaling(sides) : await measureWorkloads(sides);
  if (options.out) writeFileSync(options.out, `${JSON.stringify({ ...provenance(), results }, null, 2)}\n`);
}

async function measureWorkloads(sides: readonly Side[]): Promise<object[]> {
  const results: object[] = [];
  for (const workload of WORKLOADS.filter(({ name }) => name.includes(options.only))) {
    if (options.profile) {
      results.push({ workload, profiles: await profileWorkload(workload) });
      continue;
    }
    const rows = summarize(await measureInterleaved(workload, sides));
    printTable(workload, rows);
    if (options.against) printRatios(rows);
    results.push({ workload, rows });
  }
  return results;
}

function availableSides(): Side[] {
  const own = [gatelmSide('float32'), gatelmSide('bfloat16')];
  const before = options.against;
  const others =
    before === undefined
      ? [pytorchSide(), tfjsLayersSide()]
      : [checkoutSide(before, 'float32'), checkoutSide(before, 'bfloat16')];
  const sides = [...own, ...others];
  for (const { name, unavailable } of sides) if (unavailable) console.log(`${name}: skipped, ${unavailable}`);
  return sides.filter(({ unavailable }) => unavailable === null);
}

/** Each round runs every side once, so that a change of the machine's mood hits all alike. */
async function measureInterleaved(workload: Workload, sides: readonly Side[]): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const side of sides.filter((side) => side.accepts(workload))) {
      for (const { mode, ...figures } of await side.run(workload)) {
        const name = mode === side.name ? mode : `${side.name.split(' ')[0]} ${mode}`;
        measurements.push({ mode: name, ...figures });
      }
    }
  }
  return measurements;
}

function summarize(measurements: readonly Measurement[]): Row[] {
  const modes = [...new Set(measurements.map(({ mode }) => mode))];
  return modes.map((mode) => {
    const own = measurements.filter((measurement) => measurement.mode === mode);
    const rates = own.map(({ tokensPerSecond }) => tokensPerSecond).sort((a, b) => a - b);
    return {
      mode,
      minimum: rates[0]!,
      median: medianOf(rates),
      maximum: rates.at(-1)!,
      peakBytes: Math.max(...own.map(({ peakBytes }) => peakBytes)),
    };
  });
}

function printTable({ name }: Workload, rows: readonly Row[]): void {
  const peer = Math.max(
    ...rows.filter(({ mode }) => mode.startsWith('PyTorch')).map(({ median }) => median),
    0,
  );
  console.log(`\n${name}, tokens per second`);
  console.log('| mode | minimum | median | maximum | ÷ PyTorch’s fastest | peak MB |');
  console.log('|---|---:|---:|---:|---:|---:|');
  for (const { mode, minimum, median, maximum, peakBytes } of rows) {
    const ratio = peer > 0 ? (median / peer).toFixed(2) : '–';
    const rates = [minimum, median, maximum].map((rate) => Math.round(rate).toLocaleString('en-US'));
    console.log(`| ${mode} | ${rates.join(' | ')} | ${ratio} | ${Math.round(peakBytes / 1e6)} |`);
  }
}

function printRatios(rows: readonly Row[]): void {
  for (const { mode, median, peakBytes } of rows) {
    const before = rows.find((row) => row.mode === mode.replace(/^gatelm/, 'before'));
    if (!before || before.mode === mode) continue;
    const memory = (peakBytes / before.peakBytes).toFixed(3);
    console.log(`${mode}: ${(median / before.median).toFixed(3)} × the speed before, ${memory} × its memory`);
  }
}

function provenance() {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  return { date: new Date().toISOString(), commit, cpu: cpus()[0]?.model.trim(), processors: cpus().length };
}

await main();
