/**
 * Learns tunes in ABC notation by characters, and writes new ones. It needs a server (`npm start`; GATELM_URL names another).
 *
 *     node dist/examples/apps/music.js learn tunes.abc jigs [--budget 2m]     one tune after another, a blank line between
 *     node dist/examples/apps/music.js write jigs --meter 6/8 --key G         a tune, which abc2midi or a web page plays
 *     node dist/examples/apps/music.js check tunes.abc                        how many tunes follow the syntax, and how many bars are as long as the meter says
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { GatelmClient } from 'gatelm/client';
import { followsSyntax, keepsTime } from './abc.js';

const MAX_CHARACTERS = 800;

const gatelm = new GatelmClient({ url: process.env.GATELM_URL, apiKey: process.env.GATELM_API_KEY });

/** Characters are named, so that every bar can be written whatever the tunes are; the preset auto chooses the rest. */
async function learn(file: string, name: string, budget: string): Promise<void> {
  await gatelm.uploadCorpus(name, { file: new Blob([readFileSync(file)]) });
  const { id } = await gatelm.createExperiment({
    ...{ name, corpus: name, preset: 'auto', budget },
    tokenizer: { type: 'character' },
  });
  for await (const { type, data } of gatelm.follow(id)) {
    if (type === 'epoch') console.log(`epoch ${data.epoch}: ${data.validBitsPerByte} bits per byte`);
    if (type === 'succeeded') console.log(`test: ${data.testBitsPerByte} bits per byte`);
    if (type === 'failed') throw new Error(`the training failed: ${JSON.stringify(data)}`);
  }
}

/** A tune up to its blank line, from a header that says meter and key. */
async function write(experiment: string, meter: string, key: string, seed: number): Promise<string> {
  const prompt = `X: ${seed}\nT:Of the machine\nM:${meter}\nK:${key}\n`;
  const { text } = await gatelm.generate({
    ...{ experiment, prompt, seed, maxTokens: MAX_CHARACTERS },
    ...{ stop: ['\n\n', '\nX:'], temperature: 0.7 },
  });
  return prompt + text;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: 'string', default: '2m' },
    meter: { type: 'string', default: '6/8' },
    key: { type: 'string', default: 'G' },
    seed: { type: 'string', default: '1' },
    tunes: { type: 'string', default: '1' },
  },
});
const [command, first = '', name = basename(first)] = positionals;
if (command === 'learn') await learn(first, name, values.budget);
else if (command === 'write') {
  for (let tune = 0; tune < Number(values.tunes); tune++)
    console.log(`${await write(first, values.meter, values.key, Number(values.seed) + tune)}\n`);
} else if (command === 'check') {
  const tunes = readFileSync(first, 'utf8')
    .split(/\n\s*\n/)
    .filter((tune) => /^X:/m.test(tune));
  const counts = tunes.map(keepsTime);
  const sum = (key: 'bars' | 'right') => counts.reduce((total, count) => total + count[key], 0);
  console.log(
    `${tunes.length} tunes: ${sum('right')} of ${sum('bars')} bars are as long as their meter says`,
  );
  console.log(`${tunes.filter(followsSyntax).length} of ${tunes.length} tunes follow the syntax of ABC`);
} else {
  console.error(
    'usage: music.js learn FILE NAME | write NAME [--meter 6/8] [--key G] [--tunes N] | check FILE',
  );
  process.exitCode = 2;
}
