import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError, GatelmClient, GatelmError } from '../../src/client/client.js';
import { startService } from '../support/service.js';

const BODY = { corpus: 'handbook', training: { epochs: 3 } };

test('follows a training from its first event to its last, with numbers without a gap', async (context) => {
  const { address } = await startService(context, { plays: true });
  const client = new GatelmClient({ url: address });
  const { id } = await client.createExperiment(BODY);
  const types: string[] = [];
  let seq = 0;
  for await (const event of client.follow(id)) {
    assert.equal(event.seq, seq + 1);
    seq = event.seq;
    types.push(event.type);
  }
  assert.equal(types[0], 'queued');
  assert.equal(types.at(-1), 'succeeded');
});

test('goes on after a broken connection where it was: no event is missed, none comes twice', async (context) => {
  const { address, app, training } = await startService(context);
  const client = new GatelmClient({ url: address });
  const { id } = await client.createExperiment(BODY);
  const run = await training.run(0);
  const seen: number[] = [];
  for await (const { seq, type } of client.follow(id)) {
    seen.push(seq);
    if (type === 'preparing') {
      for (const socket of app.websocketServer.clients) socket.terminate();
      run.emit({ type: 'sample', data: { epoch: 1, text: 'while nobody listened' } });
      await new Promise(setImmediate);
      run.finish({ type: 'failed', error: { code: 'internal', message: 'x', details: {} } });
    }
  }
  assert.deepEqual(
    seen,
    seen.map((_, index) => index + 1),
  );
  assert.ok(seen.length >= 4);
});

test('a refusal is a GatelmError with code, status and the wrong fields', async (context) => {
  const { address } = await startService(context);
  const client = new GatelmClient({ url: `${address}/` });
  await assert.rejects(client.getExperiment('nothing'), (error: GatelmError) => {
    assert.ok(error instanceof GatelmError);
    assert.deepEqual([error.status, error.code], [404, 'experiment-not-found']);
    return true;
  });
  await assert.rejects(client.createExperiment({ training: { epochs: 0 } }), (error: GatelmError) => {
    assert.equal(error.problem.errors?.[0]?.path, 'training.epochs');
    assert.match(error.message, /training\.epochs/);
    return true;
  });
  await assert.rejects(async () => {
    for await (const _ of client.follow('nothing')) assert.fail();
  }, GatelmError);
});

test('nobody there is a ConnectionError that names the address', async (context) => {
  const { address, close } = await startService(context);
  await close();
  const client = new GatelmClient({ url: address });
  await assert.rejects(client.health(), (error: Error) => {
    assert.ok(error instanceof ConnectionError);
    assert.ok(error.message.includes(`${address} (ECONNREFUSED)`), error.message);
    return true;
  });
});

test('goes through all pages, and a signal ends a follower', async (context) => {
  const { address } = await startService(context);
  const client = new GatelmClient({ url: address });
  for (let index = 0; index < 5; index++) await client.createExperiment({ ...BODY, name: `run ${index}` });
  const names: string[] = [];
  for await (const { name } of client.allExperiments({ limit: 2, sort: 'created' })) names.push(name);
  assert.deepEqual(names, ['run 0', 'run 1', 'run 2', 'run 3', 'run 4']);
  const { items } = await client.listExperiments({ limit: 1 });
  const stop = new AbortController();
  for await (const _ of client.follow(items[0]!.id, { signal: stop.signal })) stop.abort();
});

test('sends its key with requests, and a ticket instead with a socket', async (context) => {
  const key = 'k'.repeat(32);
  const { address } = await startService(context, { plays: true, environment: { apiKeys: [key] } });
  await assert.rejects(new GatelmClient({ url: address }).listExperiments(), { status: 401 });
  const client = new GatelmClient({ url: address, apiKey: key });
  const { id } = await client.createExperiment(BODY);
  let last = '';
  for await (const { type } of client.follow(id)) last = type;
  assert.equal(last, 'succeeded');
});

test('uploads a corpus, describes and deletes it', async (context) => {
  const { address } = await startService(context);
  const client = new GatelmClient({ url: address });
  const file = new Blob(['the cat sat on the mat\n'.repeat(100)]);
  const corpus = await client.uploadCorpus('cats', { file }, { validFraction: '0.1' });
  assert.equal((await client.getCorpus('cats')).id, corpus.id);
  assert.match((await client.previewCorpus('cats')).text, /^the cat/);
  await client.deleteCorpus('cats');
  await assert.rejects(client.getCorpus('cats'), { status: 404 });
});
