/**
 * Searches what the preset `auto` does not know yet: for each text and budget, its own recipe and others with sizes, dropout,
 * batch and rate drawn at random and the same tokens, all judged on blocks of the text that none has seen.
 *
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/search-auto.js --budget 20 --budget 60 --trials 10 --output search.jsonl
 *     node dist/bench/search-auto.js --output search.jsonl --summary
 *
 * A budget is in seconds of one core as the processor counts them, measured over the first steps and turned into a number of
 * steps, so that a busy machine changes nothing but the wait. Each trial is a line of the output; what is there is not tried again.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chooseRecipe } from '../src/recipes/auto-recipe.js';
import { profileText } from '../src/recipes/text-profile.js';
import { loadOneCore } from './one-core.js';
import { OWN_TEXTS } from './own-texts.js';
import { drawRecipe, type RandomRecipe } from './random-recipe.js';
import { runTrial, Trial, type TrialResult } from './text-trial.js';

/** Share of a text that is the train split. */
const TRAIN_SHARE = 0.9;

type Line = Trial & TrialResult & { readonly text: string; readonly seed: number; readonly number: number };

const { values } = parseArgs({
  options: {
    budget: { type: 'string', multiple: true, default: ['20'] },
    trials: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    text: { type: 'string', multiple: true },
    output: { type: 'string' },
    summary: { type: 'boolean', default: false },
  },
});
const { output } = values;
if (!output) throw new Error('usage: search-auto.js --output FILE');
const lines: Line[] = existsSync(output)
  ? readFileSync(output, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];
if (values.summary) summarize(lines);
else await search(output);

async function search(path: string): Promise<void> {
  const kernels = await loadOneCore();
  const seed = Number(values.seed);
  for (const { name, read } of OWN_TEXTS) {
    if (values.text && !values.text.includes(name)) continue;
    const text = read();
    if (text === null) continue;
    for (const seconds of values.budget.map(Number))
      for (let number = 0; number <= Number(values.trials); number++) {
        const isKnown = (line: Line) =>
          line.text === name && line.seconds === seconds && line.seed === seed && line.number === number;
        if (lines.some(isKnown)) continue;
        const trial = Trial.parse({ ...recipeOf(text, seconds, seed, number), seconds });
        const line = { text: name, seed, number, ...trial, ...runTrial(trial, text, kernels) };
        appendFileSync(path, `${JSON.stringify(line)}\n`);
      }
  }
}

/** Number 0 is auto's own recipe; the others are drawn, with its tokens. */
function recipeOf(text: string, seconds: number, seed: number, number: number): RandomRecipe {
  const bytes = Math.round(Buffer.byteLength(text) * TRAIN_SHARE);
  const profile = profileText(text, bytes);
  const { config } = chooseRecipe({
    profile,
    budgetSeconds: seconds,
    backend: { kernels: 'fused', instructions: null },
    isWordBenchmark: false,
  });
  const tokenizer = config.tokenizer as RandomRecipe['tokenizer'];
  if (number > 0) return { ...drawRecipe(seed, number, bytes), tokenizer };
  const { model, optimizer, training } = config;
  return {
    tokenizer,
    embeddingSize: model!.embeddingSize!,
    hiddenSizes: model!.hiddenSizes!,
    learningRate: optimizer!.learningRate!,
    dropout: model!.dropout!.hidden!,
    batchSize: training!.batchSize!,
    bpttLength: training!.bpttLength!,
  };
}

/** For each text and budget: auto, and the three best of the others. */
function summarize(all: readonly Line[]): void {
  const keyOf = ({ text, seconds }: Line) => `${text}, ${seconds} s`;
  for (const key of new Set(all.map(keyOf))) {
    const group = all.filter((line) => keyOf(line) === key);
    const [auto, others] = [
      group.find(({ number }) => number === 0),
      group.filter(({ number }) => number > 0),
    ];
    console.log(`${key}: ${auto ? describe(auto) : 'auto was not tried'}`);
    const best = others.toSorted((a, b) => a.bitsPerByte.valid - b.bitsPerByte.valid).slice(0, 3);
    for (const line of best) console.log(`    ${describe(line)}`);
  }
}

function describe({
  number,
  bitsPerByte,
  hiddenSizes,
  dropout,
  batchSize,
  bpttLength,
  ...rest
}: Line): string {
  const { learningRate, embeddingSize, epochs } = rest;
  const who = number === 0 ? 'auto' : `#${number}`;
  const { valid, test } = bitsPerByte;
  return `${who} ${valid.toFixed(3)} / ${test.toFixed(3)}: ${embeddingSize} > ${hiddenSizes.join(', ')}, dropout ${dropout}, ${batchSize} x ${bpttLength}, rate ${learningRate}, ${epochs.toFixed(1)} epochs`;
}
