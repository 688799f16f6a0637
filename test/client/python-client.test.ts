/** The Python client of examples/python against a live server. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GatelmClient } from '../../src/client/client.js';
import { REPOSITORY } from '../support/gatelm-server.js';
import { startService } from '../support/service.js';

const PYTHON = process.env.GATELM_TEST_PYTHON ?? 'python3';
const isNewEnough = 'import sys; sys.exit(sys.version_info < (3, 9))';
const skip = spawnSync(PYTHON, ['-c', isNewEnough]).status !== 0 && `${PYTHON} is not there, or before 3.9`;
const SCRIPT = fileURLToPath(new URL('../../../test/fixtures/use-python-client.py', import.meta.url));

/** Runs the script; gives its lines as they come. */
async function runScript(args: readonly string[], onLine: (what: string, value: unknown) => void) {
  const child = spawn(PYTHON, ['-B', SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, value] = JSON.parse(line) as [string, unknown];
    onLine(what, value);
  }
  if (child.exitCode === null) await once(child, 'exit');
  assert.equal(child.exitCode, 0);
}

test('the Python client trains, follows, writes, uploads and tells what was refused', {
  skip,
}, async (context) => {
  const { address } = await startService(context, { plays: true });
  const said: [string, unknown][] = [];
  await runScript([address], (what, value) => said.push([what, value]));
  const events = said.flatMap(([what, value]) => (what === 'event' ? [value as [number, string]] : []));
  assert.deepEqual(
    events.map(([seq]) => seq),
    events.map((_, index) => index + 1),
  );
  assert.equal(events.at(-1)![1], 'succeeded');
  const refused = said.flatMap(([what, value]) =>
    what === 'refused' ? [value as [number, string, string]] : [],
  );
  assert.deepEqual(
    refused.map(([status, code]) => [status, code]),
    [
      [404, 'experiment-not-found'],
      [404, 'experiment-not-found'],
      [400, 'validation-failed'],
    ],
  );
  assert.match(refused[2]![2], /training\.epochs/);
  assert.deepEqual(Object.fromEntries(said.filter(([what]) => !['event', 'refused'].includes(what))), {
    corpus: 'cats',
    corpora: ['cats'],
    state: 'succeeded',
    tags: ['a b'],
    found: [true],
    valid: 2,
    written: true,
    tensorboard: true,
    left: [],
  });
});

test('the Python client goes on after broken connections: no event is missed, none comes twice', {
  skip,
}, async (context) => {
  const { address, app, training } = await startService(context);
  const client = new GatelmClient({ url: address });
  const { id } = await client.createExperiment({ corpus: 'handbook', training: { epochs: 1 } });
  const run = await training.run(0);
  const seen: number[] = [];
  await runScript([address, id], (_, value) => {
    const [seq, type] = value as [number, string];
    seen.push(seq);
    if (type === 'preparing') {
      app.server.closeAllConnections();
      run.emit({ type: 'sample', data: { epoch: 1, text: 'while nobody listened' } });
    }
    if (type === 'sample') {
      app.server.closeAllConnections();
      run.finish({ type: 'failed', error: { code: 'internal', message: 'x', details: {} } });
    }
  });
  assert.deepEqual(
    seen,
    seen.map((_, index) => index + 1),
  );
  assert.ok(seen.length >= 4);
});

test('the openai clients of examples/openai complete a prompt', async (context) => {
  const { address } = await startService(context, { plays: true });
  const client = new GatelmClient({ url: address });
  const { id } = await client.createExperiment({ corpus: 'handbook', training: { epochs: 1 } });
  for await (const _ of client.follow(id));
  const written = await client.generate({
    experiment: id,
    prompt: 'The',
    maxTokens: 20,
    temperature: 0.8,
    seed: 1,
  });
  const hasOpenAI = spawnSync(PYTHON, ['-c', 'import openai']).status === 0;
  const programs = [[process.execPath, 'complete.mjs'], ...(hasOpenAI ? [[PYTHON, 'complete.py']] : [])];
  if (!hasOpenAI) context.diagnostic(`${PYTHON} has no module "openai": complete.py was not run`);
  for (const [program, file] of programs) {
    const child = spawn(program!, [`${REPOSITORY}examples/openai/${file}`, 'The'], {
      env: { ...process.env, GATELM_URL: address },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const chunk of child.stdout) text += chunk;
    assert.equal(text, `${written.text}\n`, file);
  }
});
