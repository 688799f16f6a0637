/**
 * Flags the lines of a log that surprise a model of its normal lines. It needs a server (`npm start`; GATELM_URL names another).
 *
 *     node dist/examples/apps/log-anomalies.js learn normal.log mylog     learns, and finds the threshold on lines held out
 *     tail -f app.log | node dist/examples/apps/log-anomalies.js watch mylog 9.5      lines in, flagged lines out
 *     node dist/examples/apps/log-anomalies.js evaluate labelled.log --skip 5         precision and recall, beside counts
 *
 * options: --skip N leaves out the first N columns (times, places); --labelled: the first column marks alerts, `-` = none;
 * --by-time: evaluate learns the first half and judges the second, instead of every other line
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { GatelmClient } from 'gatelm/client';
import {
  averagePrecision,
  countBaseline,
  type LogFormat,
  parseLogLine,
  precisionAndRecall,
  quantile,
} from './log-lines.js';

/** One of so many normal lines is held out, for the threshold. */
const HELD_OUT = 10;
/** The part of the lines held out that is below the threshold. */
const NORMAL = 0.95;
const LINES_A_CALL = 100;
const CONFIG = {
  tokenizer: { type: 'character' },
  model: { embeddingSize: 64, hiddenSizes: [128], dropout: { output: 0.2 } },
  optimizer: { type: 'adamw', learningRate: 0.003 },
  training: { epochs: 12, batchSize: 16, bpttLength: 64, maxGradNorm: 1, seed: 1, sampleLength: 0 },
} satisfies Parameters<GatelmClient['createExperiment']>[0];

const gatelm = new GatelmClient({ url: process.env.GATELM_URL, apiKey: process.env.GATELM_API_KEY });

/** How surprising each line is: that of its most surprising character, in nats. One odd word in a long line is enough. */
async function surprisals(experiment: string, lines: readonly string[]): Promise<number[]> {
  const scores: number[] = [];
  for (let start = 0; start < lines.length; start += LINES_A_CALL) {
    const texts = lines.slice(start, start + LINES_A_CALL).map((line) => `${line}\n`);
    const answer = await gatelm.score({ experiment, texts });
    const items = 'items' in answer ? answer.items : [answer];
    scores.push(...items.map(({ tokens }) => Math.max(...tokens.map(({ surprisal }) => surprisal))));
  }
  return scores;
}

/** Trains on normal lines. @returns the threshold that nearly all lines held out stay below */
async function learn(name: string, lines: readonly string[]): Promise<number> {
  const held = lines.filter((_, index) => index % HELD_OUT === HELD_OUT - 1);
  const train = lines.filter((_, index) => index % HELD_OUT !== HELD_OUT - 1);
  const file = (part: readonly string[]) => new Blob([`${part.join('\n')}\n`]);
  await gatelm.uploadCorpus(name, { train: file(train), valid: file(held), test: file(held) });
  const { id } = await gatelm.createExperiment({ name, corpus: name, ...CONFIG });
  for await (const { type, data } of gatelm.follow(id)) {
    if (type === 'failed') throw new Error(`the training failed: ${JSON.stringify(data)}`);
  }
  return quantile(await surprisals(id, held), NORMAL);
}

/** Lines in, flagged lines out, as they come. */
async function watch(name: string, threshold: number, format: LogFormat): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { text } = parseLogLine(line, format);
    const [score = 0] = await surprisals(name, [text]);
    if (score > threshold) console.log(`${score.toFixed(1)}\t${line}`);
  }
}

/** Learns the normal lines of one half, and judges the lines of the other; so does a baseline of counts. */
async function evaluate(name: string, path: string, format: LogFormat, byTime: boolean): Promise<void> {
  const lines = readLines(path).map((line) => parseLogLine(line, { ...format, labelled: true }));
  const isJudged = (index: number) => (byTime ? index >= lines.length / 2 : index % 2 === 1);
  const known = lines.filter(({ alert }, index) => !isJudged(index) && !alert).map(({ text }) => text);
  const judged = lines.filter((_, index) => isJudged(index));
  const texts = judged.map(({ text }) => text);
  const threshold = await learn(name, known);
  const baseline = countBaseline(known);
  const detectors = {
    surprisal: { scores: await surprisals(name, texts), threshold },
    counts: { scores: texts.map(baseline), threshold: unseen(baseline) },
  };
  const alerts = judged.filter(({ alert }) => alert).length;
  console.log(
    `${known.length} normal lines learned; ${judged.length} lines judged, ${alerts} of them alerts`,
  );
  for (const [detector, { scores, threshold }] of Object.entries(detectors)) {
    const scored = judged.map(({ alert }, index) => ({ alert: alert === true, score: scores[index]! }));
    const { flagged, hits, precision, recall } = precisionAndRecall(scored, threshold);
    console.log(
      `${detector}: ${flagged} flagged, ${hits} alerts; precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)}, average precision ${averagePrecision(scored).toFixed(2)}`,
    );
  }
}

/** Just below what a line gets that never came before. */
function unseen(baseline: (line: string) => number): number {
  return baseline('\n') - 1e-9;
}

function readLines(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    skip: { type: 'string', default: '0' },
    labelled: { type: 'boolean', default: false },
    name: { type: 'string' },
    'by-time': { type: 'boolean', default: false },
  },
});
const format = { labelled: values.labelled, skip: Number(values.skip) };
const [command, first = '', second = ''] = positionals;
if (command === 'learn') {
  const threshold = await learn(
    second,
    readLines(first).map((line) => parseLogLine(line, format).text),
  );
  console.log(`threshold ${threshold.toFixed(2)}: watch ${second} ${threshold.toFixed(2)}`);
} else if (command === 'watch') await watch(first, Number(second), format);
else if (command === 'evaluate')
  await evaluate(values.name ?? `log-${Date.now()}`, first, format, values['by-time']);
else {
  console.error(
    'usage: log-anomalies.js learn FILE NAME | watch NAME THRESHOLD | evaluate FILE [--skip N] [--labelled]',
  );
  process.exitCode = 2;
}
