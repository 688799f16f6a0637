/** Inference on several machines: a real server and real inferencers in processes of their own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import type { Health } from '../../src/contracts/health.js';
import { runGatelm } from '../cli/run-gatelm.js';
import { type GatelmServer, startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService, temporaryFolder } from '../support/service.js';
import { startWorker } from '../support/worker-process.js';

const KEY = 'a-key-of-the-test';
const CONFIG = {
  corpus: 'handbook',
  tokenizer: { type: 'word', vocabularySize: 300 },
  model: { embeddingSize: 8, hiddenSizes: [8], dropout: { kind: 'standard', input: 0, output: 0 } },
  optimizer: { type: 'adam' },
  training: { epochs: 1, batchSize: 50, bpttLength: 20, sampleLength: 5, seed: 1 },
};
const TEXT = 'the model reads the text and the text is read again';

async function post<Answer>(server: GatelmServer, path: string, body: object): Promise<Answer> {
  const response = await fetch(server.address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return response.json() as Promise<Answer>;
}

async function generate(server: GatelmServer): Promise<string> {
  const request = { prompt: 'the', maxTokens: 30, seed: 7 };
  return (await post<{ text: string }>(server, '/generate', request)).text;
}

/** Answers to the same requests, to be compared. */
async function answersOf(server: GatelmServer) {
  const generated = await generate(server);
  const scored = await post<object>(server, '/score', { text: TEXT });
  const stream = await openScoring(server);
  stream.request.end(` ${TEXT}`);
  return { generated, scored, streamed: await text(stream.response) };
}

/** A streamed score whose text has begun and goes on: it occupies a slot, and has delivered a part. */
async function openScoring(
  server: GatelmServer,
): Promise<{ request: ClientRequest; response: IncomingMessage }> {
  const request = httpRequest(`${server.address}/score/stream`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
  });
  request.on('error', () => {}); // some tests break it off
  request.write(`${TEXT} `.repeat(50));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return { request, response };
}

/** Waits until the inferencers are as described. */
async function inferencersBecome(
  server: GatelmServer,
  wanted: Partial<Health['inferencers']>,
): Promise<void> {
  for (;;) {
    const { inferencers } = await server.get<Health>('/healthz');
    if (Object.entries(wanted).every(([key, value]) => inferencers[key as 'active'] === value)) return;
    await after(20);
  }
}

test('inferencers answer as the server does, share its load, and are replaced when they are lost', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, join(folder, 'data'), {
    GATELM_THREADS: '1',
  });
  const startInferencer = async (name: string, ...options: string[]) => {
    const args = ['inferencer', '--server', server.address, '--data-dir', join(folder, name), ...options];
    const inferencer = startWorker(context, args, { env: { GATELM_SHUTDOWN_GRACE_MS: '60000' } });
    await inferencer.said('takes tasks');
    return inferencer;
  };
  const trained = (id: string, since = 0) =>
    new ProgressClient(`${server.socketAddress}/experiments/${id}/progress?since=${since}`).closed;
  const { id } = await server.train(CONFIG);
  assert.equal((await trained(id)).reason, 'succeeded');
  const alone = await answersOf(server);

  // While the server is busy, the inferencer gets the tasks.
  const busy = await openScoring(server);
  const first = await startInferencer('first');
  assert.deepEqual(await answersOf(server), alone);
  const modelsOf = (name: string) => readdirSync(join(folder, name, 'models', id));
  assert.equal(modelsOf('first').length, 1, 'it has fetched the model');

  // A client that goes away ends its task there.
  const left = await openScoring(server);
  await inferencersBecome(server, { active: 1 });
  left.request.destroy();
  await inferencersBecome(server, { active: 0 });

  // New weights are served at once, and those that they replace are deleted.
  await post(server, `/experiments/${id}/continue`, { epochs: 2 });
  assert.equal((await trained(id)).reason, 'succeeded');
  const renewed = await answersOf(server);
  assert.notDeepEqual(renewed.scored, alone.scored);
  assert.equal(modelsOf('first').length, 1);

  // A task that has delivered something is lost with its machine, one that has not runs elsewhere.
  const last = await openScoring(server); // at the first one
  await inferencersBecome(server, { active: 1 });
  const second = await startInferencer('second', '--slots', '2');
  assert.match(await server.get<string>('/metrics'), /^gatelm_inferencers 2$/m);
  const lost = await openScoring(server);
  await inferencersBecome(server, { active: 2 });
  second.process.kill('SIGSTOP');
  const moved = generate(server);
  await inferencersBecome(server, { active: 3 });
  second.process.kill('SIGKILL');
  assert.match((await text(lost.response)).trim().split('\n').at(-1)!, /inferencer .* was lost/);
  assert.deepEqual(await moved, renewed.generated);
  assert.match(await server.get<string>('/metrics'), /^gatelm_inferencers 1$/m);

  // One that is told to stop ends what it has, and takes nothing new.
  first.process.kill('SIGTERM');
  await inferencersBecome(server, { connected: 0 });
  assert.deepEqual(await answersOf(server), renewed, 'the server itself gives the same answers');
  last.request.end();
  assert.match(await text(last.response), /perplexity/);
  assert.deepEqual(await once(first.process, 'exit'), [0, null]);
  busy.request.end();
  assert.match(await text(busy.response), /perplexity/);
});

test('an inferencer with a wrong key says so and ends', async (context) => {
  const { address } = await startService(context, { environment: { apiKeys: [KEY] } });
  const args = ['inferencer', '--server', address, '--data-dir', temporaryFolder(context)];
  const { code, stderr } = await runGatelm(address, args, { env: { GATELM_INFERENCER_KEY: 'another-key' } });
  assert.equal(code, 1);
  assert.match(stderr, /An API key is needed/);
});
