/**
 * Draws the learning curves of results/ as docs/images/curves.svg: valid perplexity by epoch, gatelm's beside PyTorch's.
 *
 *     node dist/bench/curve-plot.js
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawLines } from './line-plot.js';

const PLOT = join('docs', 'images', 'curves.svg');
const SEEDS = [1, 2, 3, 4, 5];

interface Run {
  readonly curve: readonly { readonly epoch: number; readonly validPerplexity: number | null }[];
}

const read = (name: string) => JSON.parse(readFileSync(join('results', `${name}.json`), 'utf8'));

/** The mean over the seeds, by epoch. */
function meanCurve(runs: readonly Run[]): [number, number][] {
  const epochs = Math.min(...runs.map(({ curve }) => curve.length));
  return Array.from({ length: epochs }, (_, at) => {
    const values = runs.map(({ curve }) => curve[at]!.validPerplexity ?? Number.NaN);
    return [at + 1, values.reduce((sum, value) => sum + value, 0) / runs.length];
  });
}

const small: Run[] = SEEDS.map((seed) => read(`rnnlm-ptb-seed-${seed}`));
const large: Run = read('better-rnnlm-ptb-40');
const panels = [
  {
    title: 'rnnlm on PTB, mean of 5 seeds',
    ticks: [1, 2, 3, 4],
    lines: { gatelm: meanCurve(small), PyTorch: meanCurve(read('pytorch-rnnlm-ptb').runs) },
  },
  {
    title: 'better-rnnlm on PTB, one seed',
    ticks: [1, 2, 5, 10, 20, 40],
    lines: { gatelm: meanCurve([large]), PyTorch: meanCurve(read('pytorch-better-rnnlm-ptb').runs) },
  },
];
writeFileSync(PLOT, drawLines('Perplexity on valid by epoch, both scales logarithmic', panels));
console.log(PLOT);
