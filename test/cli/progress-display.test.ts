import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, ProgressDisplay } from '../../src/cli/progress-display.js';
import type { ProgressEvent } from '../../src/client/client.js';
import { type EventType, StoredEvent } from '../../src/contracts/events.js';

const event = (type: EventType, data: object) =>
  StoredEvent.parse({ experimentId: 'e', seq: 1, time: '', type, data });
const step = event('step', {
  step: 5,
  epoch: 0.5,
  loss: 5,
  trainPerplexity: 148.41,
  learningRate: 20,
  gradNorm: 1,
  tokensPerSecond: 12_345.6,
  remainingSeconds: 75.2,
});
const epoch = event('epoch', {
  epoch: 1,
  step: 10,
  trainLoss: 5,
  trainPerplexity: 148.41,
  validLoss: null,
  validPerplexity: null,
  learningRate: 20,
  tokensPerSecond: 12_345.6,
  gradNorm: 1,
  seconds: 9.87,
  remainingSeconds: 0,
  isBest: true,
});

function show(
  isTTY: boolean,
  events: readonly ProgressEvent[],
  now: () => number,
  maxDuration: number | null = null,
): string {
  let written = '';
  const output = { isTTY, columns: 60, write: (text: string) => (written += text) };
  const display = new ProgressDisplay(output, { epochs: 2, maxDuration }, now);
  for (const each of events) display.show(each);
  display.end();
  return written;
}

test('draws a bar over itself in a terminal, not wider than it, and lines of the table above it', () => {
  const clear = '\r\u001b[2K';
  const frames = show(true, [step, epoch], () => 0).split(clear);
  assert.deepEqual(frames.slice(1), [
    '██████░░░░░░░░░░░░░░░░░░ 25 % · epoch 1/2 · train perplexit',
    'epoch  train perplexity  valid perplexity  tokens/s  seconds  left\n',
    '    1             148.4                 –    12,346      9.9  0:00\n',
    '',
  ]);
});

test('writes a line of progress every ten seconds where there is no terminal', () => {
  let time = 0;
  const lines = show(false, [step, step, step, step], () => {
    time += 2_000; // asked twice a step
    return time;
  })
    .trim()
    .split('\n');
  assert.deepEqual(lines, ['25 % · epoch 1/2 · train perplexity 148.4 · 12,346 tokens/s · 1:15 left']);
});

test('a duration has hours only where there are some', () => {
  assert.deepEqual([0, 65, 3599.6, 29_569].map(duration), ['0:00', '1:05', '1:00:00', '8:12:49']);
});

test('with a time budget the share is one of time, and no last epoch is named', () => {
  let written = '';
  let time = 0;
  const output = { isTTY: true, columns: 80, write: (text: string) => (written += text) };
  const length = { epochs: 60, maxDuration: null, timeBudget: 150 };
  const display = new ProgressDisplay(output, length, () => time);
  time = 75_000;
  display.show(step); // 75 s are left
  assert.match(written, /50 % · epoch 1 · train/);
});

test('writes nothing while somebody is asked, and the lines of that time afterwards', () => {
  let written = '';
  const output = { isTTY: true, columns: 60, write: (text: string) => (written += text) };
  const display = new ProgressDisplay(output, { epochs: 2, maxDuration: null }, () => 0);
  display.show(step);
  display.hold();
  const before = written;
  display.show(step);
  display.show(epoch);
  assert.equal(written, before);
  display.release();
  assert.match(written.slice(before.length), /epoch {2}train perplexity.*\n.* 1 +148\.4/s);
});

test('counts by time where the time limit comes before the last epoch', () => {
  let time = 0;
  const clock = () => {
    time += 10_000;
    return time;
  };
  assert.match(show(false, [step], clock, 20), /^50 % · epoch 1\/2/);
});
