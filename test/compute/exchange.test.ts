/** The files of trainers through a folder that they share with the server. */

import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { Exchange } from '../../src/compute/queue/exchange.js';
import { copyInputs, LEASE_RECORD, sendFiles } from '../../src/compute/queue/trainer-files.js';
import type { TrainingEvent } from '../../src/contracts/events.js';
import type { RunEvent, TrainingOutcome } from '../../src/contracts/jobs.js';
import { type ArtifactStore, readText } from '../../src/files/artifact-store.js';
import { FolderArtifactStore } from '../../src/files/folder-artifact-store.js';
import { LeaseArtifactStore } from '../../src/files/lease-artifact-store.js';
import { cleanUp } from '../support/clean-up.js';
import { temporaryFolder } from '../support/service.js';
import { trainingJob } from '../support/training-job.js';

const FOLDER = 'experiments/e-1';
const JOB = trainingJob('e-1');
const ENDED: TrainingOutcome = { type: 'interrupted', reason: 'its trainer is gone' };

/** A server, an exchange, and the folder of a trainer. */
function setUp(t: TestContext, wrap: (store: ArtifactStore) => ArtifactStore = (store) => store) {
  const root = temporaryFolder(t);
  const [shared, local, trainer] = ['shared', 'data', 'trainer'].map(
    (name) => new FolderArtifactStore(join(root, name)),
  ) as [FolderArtifactStore, FolderArtifactStore, FolderArtifactStore];
  const errors: unknown[] = [];
  const open = () => {
    const exchange = new Exchange({ store: wrap(shared), local, onError: (error) => errors.push(error) });
    cleanUp(t, () => exchange.close());
    return exchange;
  };
  return { shared, local, trainer, errors, open };
}

/** What a training writes for a checkpoint, and its event. */
async function checkpoint(trainer: FolderArtifactStore, step: number, epoch = 0, isKept = false) {
  const file = `checkpoints/step-${String(step).padStart(9, '0')}-0a.safetensors`;
  const record = Buffer.from(JSON.stringify({ file: file.slice('checkpoints/'.length), step }));
  await trainer.put(`${FOLDER}/${file}`, Buffer.from(`tensors of step ${step}`));
  if (isKept) await trainer.put(`${FOLDER}/checkpoints/epoch-${String(epoch).padStart(6, '0')}.json`, record);
  await trainer.put(`${FOLDER}/checkpoints/latest.json`, record);
  const data = { epoch, step, file, bytes: 1, digest: 'd', isBest: false };
  return { type: 'checkpoint', data } as TrainingEvent;
}

async function* batches(...events: readonly TrainingEvent[]): AsyncGenerator<readonly RunEvent[]> {
  for (const [index, event] of events.entries()) yield [{ seq: index + 1, event }];
}

/** A run with these events, whose outcome is there. */
function runOf(attempt = 1) {
  return { experimentId: 'e-1', attempt, outcome: Promise.resolve(ENDED) };
}

async function take(events: AsyncIterable<readonly RunEvent[]>): Promise<number[]> {
  const taken: number[] = [];
  for await (const batch of events) taken.push(...batch.map(({ seq }) => seq));
  return taken;
}

test('a lease finds its inputs in the exchange; a corpus that is there is not written again', async (t) => {
  const { shared, local, trainer, open } = setUp(t);
  const corpora = ['c-1', 'c-2'].map((id) => [id, `name of ${id}`] as const);
  for (const [id, name] of corpora) {
    await local.put(`corpora/${id}/corpus.json`, Buffer.from(JSON.stringify({ id, name })));
    await local.put(`corpora/${id}/train.txt`, Buffer.from(id));
  }
  await local.put('experiments/e-1/model/config.json', Buffer.from('{}'));
  await checkpoint(local, 7);
  const job = { ...JOB, resume: true, config: { ...JOB.config, corpus: 'name of c-1' } };
  const exchange = open();
  await exchange.offer(job);
  const files = new LeaseArtifactStore(shared, job);
  assert.ok(await files.stat(LEASE_RECORD));
  await copyInputs(job, files, trainer);
  assert.deepEqual(await trainer.list('corpora'), ['corpora/c-1/corpus.json', 'corpora/c-1/train.txt']);
  assert.deepEqual(await trainer.list('experiments'), await local.list('experiments'));
  const written = () => statSync(shared.path('corpora/c-1/train.txt')).ino;
  const before = written();
  await exchange.offer({ ...job, attempt: 2 });
  assert.equal(written(), before);
  await local.delete('corpora/c-1');
  await exchange.offer({ ...job, attempt: 3, config: { ...JOB.config, corpus: 'c-2' } });
  assert.deepEqual(await shared.list('corpora/c-1'), [], 'a corpus that the server has deleted goes, too');
});

test('an event comes after its files; what comes twice, or was replaced by a later one, ends in the same files', async (t) => {
  const { shared, local, trainer, open } = setUp(t);
  const exchange = open();
  const files = new LeaseArtifactStore(shared, JOB);
  const send = async (event: TrainingEvent) => {
    await sendFiles(JOB, event, trainer, files);
    return event;
  };
  const first = await send(await checkpoint(trainer, 20, 1, true));
  for await (const [received] of exchange.follow(
    { ...runOf(), outcome: new Promise(() => {}) },
    batches(first),
  )) {
    assert.equal(received?.seq, 1);
    assert.deepEqual(
      await local.list(FOLDER),
      await shared.list(`leases/e-1.1/${FOLDER}`).then(withoutLease),
    );
  }
  const second = await send(await checkpoint(trainer, 40, 1));
  const third = await send(await checkpoint(trainer, 60, 2));
  assert.deepEqual(await files.list(FOLDER), [
    `${FOLDER}/checkpoints/epoch-000001.json`,
    `${FOLDER}/checkpoints/latest.json`,
    `${FOLDER}/checkpoints/step-000000020-0a.safetensors`,
    `${FOLDER}/checkpoints/step-000000060-0a.safetensors`,
  ]);
  // A server that was down gets all of them at once, and one of them again.
  const waiting = exchange.follow(
    { ...runOf(), outcome: new Promise(() => {}) },
    batches(first, second, third, third),
  );
  assert.deepEqual(await take(waiting), [1, 2, 3, 4]);
  assert.deepEqual(await local.list(FOLDER), await files.list(FOLDER));
});

test('a checkpoint whose trainer died before its event comes with its weights when the run ends', async (t) => {
  const { shared, local, trainer, open } = setUp(t);
  const exchange = open();
  const files = new LeaseArtifactStore(shared, JOB);
  const first = await checkpoint(trainer, 20);
  await sendFiles(JOB, first, trainer, files);
  async function* dying() {
    yield [{ seq: 1, event: first }];
    await files.put(`${FOLDER}/model/weights.safetensors`, Buffer.from('better weights'));
    await sendFiles(JOB, await checkpoint(trainer, 40), trainer, files);
  }
  assert.deepEqual(await take(exchange.follow(runOf(), dying())), [1]);
  assert.match((await readText(local, `${FOLDER}/checkpoints/latest.json`))!, /"step":40/);
  assert.equal(await readText(local, `${FOLDER}/model/weights.safetensors`), 'better weights');
});

test('a server that stops in the middle of a copy stores no event; the next one takes it', async (t) => {
  let reading = () => {};
  const isReading = new Promise<void>((resolve) => {
    reading = resolve;
  });
  let isHanging = true;
  const hanging = (store: ArtifactStore): ArtifactStore => ({
    stat: (key) => store.stat(key),
    put: (key, bytes) => store.put(key, bytes),
    list: (prefix) => store.list(prefix),
    delete: (key) => store.delete(key),
    get: (key, start) => {
      if (!isHanging || !key.endsWith('.safetensors')) return store.get(key, start);
      reading();
      return new Promise<Readable>(() => {});
    },
  });
  const { shared, local, trainer, errors, open } = setUp(t, hanging);
  const event = await checkpoint(trainer, 20);
  await sendFiles(JOB, event, trainer, new LeaseArtifactStore(shared, JOB));
  const stopped = open();
  const taken = take(stopped.follow(runOf(), batches(event)));
  await isReading;
  stopped.close();
  assert.deepEqual(await taken, []);
  assert.deepEqual(await local.list(FOLDER), []);
  isHanging = false;
  const next = open();
  assert.deepEqual(await take(next.follow(runOf(), batches(event))), [1]);
  assert.deepEqual(await local.list(FOLDER), await trainer.list(FOLDER));
  assert.deepEqual(errors, []);
});

test('a checkpoint that the exchange has lost interrupts its run with a clear error', async (t) => {
  const { shared, trainer, open } = setUp(t);
  const event = await checkpoint(trainer, 20);
  await sendFiles(JOB, event, trainer, new LeaseArtifactStore(shared, JOB));
  await shared.delete('leases/e-1.1');
  await assert.rejects(take(open().follow(runOf(), batches(event))), {
    code: 'artifact-not-found',
    message: /experiments\/e-1\/checkpoints\/latest\.json/,
  });
});

test('what the holder of an old lease writes reaches neither the new lease nor the server', async (t) => {
  const { shared, local, trainer, open } = setUp(t);
  const exchange = open();
  const [zombie, heir] = [1, 2].map((attempt) => new LeaseArtifactStore(shared, { ...JOB, attempt })) as [
    LeaseArtifactStore,
    LeaseArtifactStore,
  ];
  await exchange.offer(JOB);
  await take(exchange.follow(runOf(1), batches()));
  await exchange.offer({ ...JOB, attempt: 2 });
  const event = await checkpoint(trainer, 40);
  await sendFiles(JOB, event, trainer, heir);
  await sendFiles(JOB, await checkpoint(trainer, 20), trainer, zombie);
  let steps: string[] = [];
  for await (const _ of exchange.follow(runOf(2), batches(event)))
    steps = await local.list(`${FOLDER}/checkpoints`);
  assert.deepEqual(steps, [
    `${FOLDER}/checkpoints/latest.json`,
    `${FOLDER}/checkpoints/step-000000040-0a.safetensors`,
  ]);
});

test('the files of a lease go when its run ends, at the latest when the exchange is tidied; a stop leaves them', async (t) => {
  const { shared, trainer, open } = setUp(t);
  const first = open();
  await first.offer(JOB);
  let end = (_: TrainingOutcome) => {};
  const outcome = new Promise<TrainingOutcome>((resolve) => {
    end = resolve;
  });
  await take(first.follow({ ...runOf(), outcome }, batches()));
  await first.tidy();
  assert.ok(existsSync(shared.path('leases/e-1.1')), 'it has not ended yet');
  first.close();
  end(ENDED);
  await outcome;
  assert.ok(existsSync(shared.path('leases/e-1.1')), 'the next server needs it');

  const next = open();
  await next.offer({ ...JOB, attempt: 2 });
  await sendFiles(JOB, await checkpoint(trainer, 20), trainer, new LeaseArtifactStore(shared, JOB));
  await next.tidy();
  assert.deepEqual(await shared.list('leases'), [`leases/e-1.2/${LEASE_RECORD}`]);
  await take(next.follow(runOf(2), batches()));
  await next.close();
  await open().tidy();
  assert.deepEqual(await shared.list('leases'), []);
});

function withoutLease(keys: readonly string[]): string[] {
  return keys.map((key) => key.slice('leases/e-1.1/'.length));
}
