import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import request from 'supertest';
import { GatelmClient } from '../../src/client/client.js';
import { writeZip } from '../../src/files/zip.js';
import { epochEvent, startedEvent, stepEvent } from '../support/fake-executor.js';
import { startService, type TestService } from '../support/service.js';

const WEIGHTS = Buffer.from('these would be weights');
const CONFIG = { corpus: 'handbook', name: 'a run', tags: ['kept'], training: { epochs: 3 } };

async function trained(service: TestService): Promise<string> {
  const client = new GatelmClient({ url: service.address });
  const { id } = await client.createExperiment(CONFIG);
  for await (const _ of client.follow(id));
  await client.editExperiment(id, { notes: 'what it was for' });
  const folder = join(service.dataDir, 'experiments', id);
  for (const [name, bytes] of [
    ['model/weights.safetensors', WEIGHTS],
    ['model/config.json', Buffer.from('{}')],
    ['checkpoints/latest.json', Buffer.from('{"file":"step-3"}')],
  ] as const) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return id;
}

async function archiveOf({ address }: TestService, id: string, query = {}): Promise<Blob> {
  const stream = await new GatelmClient({ url: address }).exportArchive(id, query);
  return new Blob([await buffer(stream as never)]);
}

const zipOf = async (files: Readonly<Record<string, string | Buffer>>) =>
  new Blob([
    await buffer(
      writeZip(
        Object.entries(files).map(([name, bytes]) => ({
          name,
          compress: true,
          open: async () => Readable.from([Buffer.from(bytes)]),
        })),
        new Date(),
      ),
    ),
  ]);

const post = ({ address }: TestService, archive: Blob) =>
  new GatelmClient({ url: address }).importArchive(archive);

test('a run with its curves, events and files is the same on another server', async (context) => {
  const [here, there] = [await startService(context, { plays: true }), await startService(context)];
  const id = await trained(here);
  const imported = await post(there, await archiveOf(here, id));
  const read = (service: TestService, path: string) =>
    request(service.address)
      .get(`/experiments/${id}${path}`)
      .expect(200)
      .then(({ body }) => body);
  assert.equal(imported.id, id);
  assert.deepEqual(await read(there, ''), await read(here, ''));
  assert.deepEqual(await read(there, '/events?limit=1000'), await read(here, '/events?limit=1000'));
  assert.deepEqual(await read(there, '/metrics'), await read(here, '/metrics'));
  assert.deepEqual(await read(there, '/checkpoints'), await read(here, '/checkpoints'));
  const folder = join(there.dataDir, 'experiments', id);
  assert.deepEqual(readFileSync(join(folder, 'model/weights.safetensors')), WEIGHTS);
  assert.ok(readdirSync(join(folder, 'checkpoints')).includes('latest.json'));
  assert.deepEqual(readdirSync(join(there.dataDir, 'transfers')), []);

  const again = await post(there, await archiveOf(here, id, { checkpoints: false }));
  assert.notEqual(again.id, id, 'its id is taken');
  assert.deepEqual(readdirSync(join(there.dataDir, 'experiments', again.id)), ['model']);
  const events = await request(there.address).get(`/experiments/${again.id}/events`).expect(200);
  assert.equal(events.body.items[0].experimentId, again.id);
});

test('a run that trains is refused; a paused one can be resumed where it was taken to', async (context) => {
  const [here, there] = [await startService(context), await startService(context)];
  const client = new GatelmClient({ url: here.address });
  const { id } = await client.createExperiment(CONFIG);
  const run = await here.training.run(0);
  run.emit(startedEvent(), stepEvent(5), epochEvent(1));
  await assert.rejects(archiveOf(here, id), { status: 409, code: 'state-conflict' });
  await client.control(id, 'pause');
  run.finish({ type: 'stopped', mode: 'pause' });
  for await (const { type } of client.follow(id)) if (type === 'paused') break;
  const { state } = await post(there, await archiveOf(here, id));
  assert.equal(state, 'paused');
  await new GatelmClient({ url: there.address }).control(id, 'resume');
  const { job } = await there.training.run(0);
  assert.deepEqual([job.resume, job.attempt, job.experimentId], [true, 2, id]);
});

test('an archive that is not what it seems is refused, and leaves nothing behind', async (context) => {
  const service = await startService(context, { plays: true });
  const id = await trained(service);
  const whole = await archiveOf(service, id);
  const { body: events } = await request(service.address).get(`/experiments/${id}/events?limit=1000`);
  const { config } = (await request(service.address).get(`/experiments/${id}`)).body;
  const record = (change: object, files: readonly object[] = []) =>
    JSON.stringify({
      format: 'gatelm-run',
      version: 1,
      experiment: {
        id: 'x',
        name: 'x',
        tags: [],
        notes: '',
        state: 'succeeded',
        config,
        parentId: null,
        createdAt: new Date().toISOString(),
        parameterCount: 1,
        vocabularySize: 2,
        modelDigest: null,
        ...change,
      },
      files,
    });
  const lines = events.items.map((event: object) => `${JSON.stringify(event)}\n`);
  const file = (path: string, bytes: string) => ({
    path,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
  const refused: Record<string, [Blob, string, RegExp]> = {
    'no archive': [new Blob(['PK no']), 'bad-request', /not a \.zip/],
    'cut off': [whole.slice(0, whole.size - 30), 'bad-request', /not a \.zip/],
    'no record': [await zipOf({ 'events.jsonl': lines.join('') }), 'bad-request', /no run\.json/],
    'a way out': [
      await zipOf({
        'run.json': record({}, [file('model/../../../evil', 'x')]),
        'events.jsonl': lines.join(''),
      }),
      'validation-failed',
      /files\[0\]\.path|files\.0\.path/,
    ],
    'another state': [
      await zipOf({ 'run.json': record({ state: 'paused' }), 'events.jsonl': lines.join('') }),
      'bad-request',
      /end with succeeded, run\.json says paused/,
    ],
    'a gap': [
      await zipOf({ 'run.json': record({}), 'events.jsonl': [lines[0], ...lines.slice(2)].join('') }),
      'bad-request',
      /event 2 has the number 3/,
    ],
    'a change': [
      await zipOf({
        'run.json': record({}, [file('model/weights.safetensors', 'as it was')]),
        'events.jsonl': lines.join(''),
        'model/weights.safetensors': 'as it is.',
      }),
      'artifact-corrupt',
      /SHA-256/,
    ],
  };
  for (const [what, [archive, code, message]] of Object.entries(refused))
    await assert.rejects(post(service, archive), { code, message }, what);
  const small = await startService(context, { environment: { maxArchiveBytes: 1024 } });
  await assert.rejects(post(small, new Blob([Buffer.alloc(2000)])), { status: 413 });
  assert.deepEqual(readdirSync(join(service.dataDir, 'experiments')), [id]);
  assert.deepEqual(readdirSync(join(service.dataDir, 'transfers')), []);
});
