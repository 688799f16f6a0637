/** Runs the programs of examples/apps against a server, on small texts of their own. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { barLength, followsSyntax, keepsTime } from '../../examples/apps/abc.js';
import {
  averagePrecision,
  countBaseline,
  parseLogLine,
  precisionAndRecall,
} from '../../examples/apps/log-lines.js';
import { REPOSITORY, startGatelm } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';

const APPS = join(REPOSITORY, 'dist', 'examples', 'apps');
const SHOP_LOG = join(REPOSITORY, 'examples', 'apps', 'shop-log.txt');

async function run(url: string, program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(process.execPath, [join(APPS, program), ...args], {
    env: { ...process.env, GATELM_URL: url },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

test('a log line is read without its label, its first columns and its numbers', () => {
  const format = { labelled: true, skip: 2 };
  assert.deepEqual(parseLogLine('- 12:00 host took 17 ms at 0x1f', format), {
    alert: false,
    text: 'took 0 ms at 0',
  });
  assert.equal(parseLogLine('KERN 12:00 host panic', format).alert, true);
});

test('precision, recall and the baseline of counts are what they are called', () => {
  const lines = [
    { alert: true, score: 9 },
    { alert: false, score: 5 },
    { alert: true, score: 4 },
    { alert: false, score: 1 },
  ];
  const { precision, recall, flagged } = precisionAndRecall(lines, 4.5);
  assert.deepEqual([flagged, precision, recall], [2, 0.5, 0.5]);
  assert.equal(averagePrecision(lines), (1 + 2 / 3) / 2);
  assert.equal(averagePrecision(lines.map(({ alert }) => ({ alert, score: 1 }))), 0.5, 'all tied');
  const rarity = countBaseline(['a', 'a', 'b']);
  assert.ok(rarity('c') > rarity('b') && rarity('b') > rarity('a'));
});

test('the log that the repository ships is the one that its script makes', () => {
  const { stdout } = spawnSync(process.execPath, [join(APPS, 'make-log.js')], { encoding: 'utf8' });
  assert.equal(stdout, readFileSync(SHOP_LOG, 'utf8'));
});

test('bars in ABC notation are as long as their notes', () => {
  assert.equal(barLength('A2 B/2 c// z'), 3.75);
  assert.equal(barLength('(3abc d'), 3);
  const tune = 'X: 1\nM:6/8\nK:G\nD|"G"GAB d2e|{g}f3 e2d|G2A B2|G3 G2|';
  assert.deepEqual(keepsTime(tune), { bars: 3, right: 2 });
});

test('a tune follows the syntax of ABC, or it does not', () => {
  const header = 'X: 1\nM:6/8\nK:G\n';
  const body = '"Am"[f3-A3-]{g}f3 -f|1 (3abc _e2^c/2:|\\\n[2 !trill!G2A z2||% the end\n';
  assert.equal(followsSyntax(header + body), true);
  for (const wrong of ['GAB#|', 'GAB [ceg|', '"Am GAB|', 'GAB', 'hello|'])
    assert.equal(followsSyntax(header + wrong), false, wrong);
  assert.equal(followsSyntax(`X: 1\nK:G\n${body}`), false, 'without a meter');
});

test('the applications learn, watch, complete and write against a server', async (context) => {
  const folder = temporaryFolder(context);
  const { address } = await startGatelm(context, join(folder, 'data'));

  const normal = join(folder, 'normal.txt');
  const lines = readFileSync(SHOP_LOG, 'utf8').trimEnd().split('\n');
  const ofNormal = lines.filter((line) => line.startsWith('- ')).slice(0, 500);
  writeFileSync(normal, `${ofNormal.map((line) => line.slice(2)).join('\n')}\n`);
  const learned = await run(address, 'log-anomalies.js', ['learn', normal, 'shop', '--skip', '1']);
  const threshold = /^threshold ([\d.]+)/.exec(learned)?.[1];
  assert.ok(threshold, learned);
  const stream = `${lines.find((line) => line.startsWith('- '))}\nx 2026-01-01T00:00:00Z ZZQ disk %%% ☠ lost\n`;
  const watched = ['watch', 'shop', threshold, '--skip', '1', '--labelled'];
  const flagged = await run(address, 'log-anomalies.js', watched, stream);
  assert.match(flagged, /^\d+\.\d\tx .* lost\n$/);

  const tunes = join(folder, 'tunes.abc');
  const tune = (n: number) => `X: ${n}\nT:Scale\nM:6/8\nK:G\nGAB dBA|GAB d2B|ABc dcB|G3 G3|\n\n`;
  writeFileSync(tunes, Array.from({ length: 300 }, (_, n) => tune(n)).join(''));
  const scales = await run(address, 'music.js', ['learn', tunes, 'scales', '--budget', '5s']);
  assert.match(scales, /^test: [\d.]+ bits per byte$/m);
  assert.match(
    await run(address, 'music.js', ['write', 'scales']),
    /^X: 1\nT:Of the machine\nM:6\/8\nK:G\n[\s\S]*\S/,
  );
  const checked = await run(address, 'music.js', ['check', tunes]);
  assert.match(checked, /^300 tunes: 600 of 600 bars/);
  assert.match(checked, /^300 of 300 tunes follow the syntax/m);

  assert.match(await run(address, 'complete.js', [tunes, '40', 'scales']), /\S/);
  const measured = await run(address, 'complete.js', ['--measure', tunes, 'scales', '--places', '20']);
  assert.match(measured, /^\d+ of \d+ characters saved, [\d.]+ %$/m);
  assert.match(measured, /^the next word is right at \d+ of \d+ places, [\d.]+ %; with 3 more/m);
});
