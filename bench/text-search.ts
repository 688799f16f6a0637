/**
 * Tries ways to learn a text, each for the same time of one core, and tells the bits per byte on blocks of the text that were
 * not learned: what the rules of the preset auto come from.
 *
 *     node dist/bench/text-search.js trials.jsonl results.jsonl
 *
 * A line of trials.jsonl: {"file","tokenizer","embeddingSize","hiddenSizes","learningRate","dropout","batchSize","bpttLength",
 * "seconds"}, see text-trial.ts.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { loadOneCore } from './one-core.js';
import { runTrial, Trial } from './text-trial.js';

const kernels = await loadOneCore();
const [trials, results] = process.argv.slice(2);
if (!trials || !results) throw new Error('usage: text-search.js TRIALS RESULTS');
for (const line of readFileSync(trials, 'utf8').split('\n').filter(Boolean)) {
  const { file, ...trial } = Trial.extend({ file: z.string() }).parse(JSON.parse(line));
  const result = { ...trial, file: basename(file), ...runTrial(trial, readFileSync(file, 'utf8'), kernels) };
  appendFileSync(results, `${JSON.stringify(result)}\n`);
}
