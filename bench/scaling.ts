import { writeFileSync } from 'node:fs';
import { drawScaling, type ScalingAxis } from './scaling-plot.js';
import type { Side } from './side.js';
import type { Workload } from './workload.js';

/** What the plot starts from; one layer, so that each size acts by itself. */
const BASE: Workload = {
  name: 'scaling',
  task: 'train',
  vocabularySize: 10_000,
  embeddingSize: 256,
  hiddenSizes: [256],
  tied: false,
  dropout: 0,
  awd: false,
  batchSize: 20,
  time: 35,
  steps: 0,
  threads: 2,
};

const AXES: readonly { name: string; sizes: number[]; change(size: number): Partial<Workload> }[] = [
  {
    name: 'hidden size H = D',
    sizes: [64, 128, 256, 512, 1024, 1500],
    change: (size) => ({ embeddingSize: size, hiddenSizes: [size] }),
  },
  {
    name: 'vocabulary V',
    sizes: [100, 1000, 10_000, 50_000],
    change: (vocabularySize) => ({ vocabularySize }),
  },
  { name: 'batch size N', sizes: [1, 5, 20, 80, 160], change: (batchSize) => ({ batchSize }) },
  { name: 'steps T', sizes: [5, 20, 35, 70, 140], change: (time) => ({ time }) },
  { name: 'threads', sizes: [1, 2], change: (threads) => ({ threads }) },
];

/** Timed steps take about this long at {@link GUESSED_FLOP_PER_SECOND}. */
const SECONDS = 1.5;
const GUESSED_FLOP_PER_SECOND = 1e11;
const PLOT = 'docs/scaling.svg';

/** Measures every axis, side after side, prints a table of each and draws them in docs/scaling.svg. */
export async function measureScaling(sides: readonly Side[]): Promise<ScalingAxis[]> {
  const axes: ScalingAxis[] = [];
  for (const { name, sizes, change } of AXES) {
    const rates: Record<string, number[]> = {};
    for (const size of sizes) {
      const workload = withSteps({ ...BASE, ...change(size) });
      for (const side of sides.filter((side) => side.name !== 'tf.layers' && side.accepts(workload))) {
        for (const { mode, tokensPerSecond } of await side.run(workload)) {
          const key = `${side.name.split(' ')[0]} ${mode.replace('fused ', '')}`;
          rates[key] = [...(rates[key] ?? []), tokensPerSecond];
        }
      }
    }
    printAxis({ name, sizes, rates });
    axes.push({ name, sizes, rates });
  }
  writeFileSync(PLOT, drawScaling(axes));
  console.log(`\ndrawn in ${PLOT}`);
  return axes;
}

function withSteps(workload: Workload): Workload {
  const { embeddingSize, hiddenSizes, vocabularySize, batchSize, time } = workload;
  const hidden = hiddenSizes[0]!;
  const flopPerToken = 6 * (4 * hidden * (embeddingSize + hidden) + hidden * vocabularySize);
  const steps = Math.round((SECONDS * GUESSED_FLOP_PER_SECOND) / (flopPerToken * batchSize * time));
  return { ...workload, steps: Math.min(Math.max(steps, 3), 200) };
}

function printAxis({ name, sizes, rates }: ScalingAxis): void {
  console.log(`\n${name}, tokens per second`);
  console.log(`| mode | ${sizes.map((size) => size.toLocaleString('en-US')).join(' | ')} |`);
  console.log(`|---|${sizes.map(() => '---:|').join('')}`);
  for (const [mode, values] of Object.entries(rates)) {
    console.log(
      `| ${mode} | ${values.map((rate) => Math.round(rate).toLocaleString('en-US')).join(' | ')} |`,
    );
  }
}
