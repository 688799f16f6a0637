import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GatelmClient } from '../../src/client/client.js';
import { crc32c, maskedCrc32c } from '../../src/interchange/tf-record.js';
import { decodeEventFile, scalarsOf } from '../support/event-file.js';
import { epochEvent, SUCCEEDED_EVENT, startedEvent, stepEvent } from '../support/fake-executor.js';
import { startService, type TestService, temporaryFolder } from '../support/service.js';

/** A Python that has `tensorboard`: pip install tensorboard. */
const python = process.env.GATELM_TEST_PYTHON ?? 'python3';
const hasTensorBoard = spawnSync(python, ['-c', 'import tensorboard'], { timeout: 60_000 }).status === 0;
const READER = join(import.meta.dirname, '../../../test/fixtures/read-tensorboard.py');

/** Trains, is interrupted after the second epoch, and goes on from the first. */
async function trainInTwoParts(context: TestContext): Promise<TestService & { id: string }> {
  const service = await startService(context, { environment: { maxRestarts: 1 } });
  const client = new GatelmClient({ url: service.address });
  const { id } = await client.createExperiment({ corpus: 'handbook', training: { epochs: 2 } });
  const first = await service.training.run(0);
  first.emit(startedEvent(1), stepEvent(5), epochEvent(1, 300));
  first.emit({ type: 'sample', data: { epoch: 1, text: 'the cat — 猫' } }, stepEvent(15), epochEvent(2, 250));
  first.finish({ type: 'interrupted', reason: 'a test' });
  const second = await service.training.run(1);
  second.emit(startedEvent(2, { epoch: 1, step: 10 }), stepEvent(15), epochEvent(2, 200), SUCCEEDED_EVENT);
  second.finish({ type: 'succeeded' });
  for await (const _ of client.follow(id));
  return { ...service, id };
}

test('CRC-32C is that of RFC 3720, and masked as TensorFlow does', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(maskedCrc32c(Buffer.alloc(0)), 0xa282ead8);
});

test('an event file lies beside a run, and another for its second start; the export is both in one', async (context) => {
  const { id, dataDir, address } = await trainInTwoParts(context);
  const folder = join(dataDir, 'experiments', id, 'tensorboard');
  const files = readdirSync(folder).sort();
  assert.equal(files.length, 2);
  for (const file of files) assert.match(file, /^events\.out\.tfevents\.\d{10}\./);
  const live = files.flatMap((file) => decodeEventFile(readFileSync(join(folder, file))));
  assert.equal(live[0]!.fileVersion, 'brain.Event:2');
  const curves = scalarsOf(live);
  assert.deepEqual(curves['epoch/validPerplexity'], [
    [10, 300],
    [20, 200],
  ]);
  assert.deepEqual(
    curves['step/tokensPerSecond']!.map(([step]) => step),
    [5, 15],
  );
  assert.deepEqual(curves['test/testPerplexity'], [[20, 90]]);
  assert.ok(live.some(({ texts }) => texts.sample === 'the cat — 猫'));
  assert.ok(live.every(({ wallTime }) => Math.abs(Date.now() / 1000 - wallTime) < 60));

  const exported = decodeEventFile(
    Buffer.from(await (await fetch(`${address}/experiments/${id}/tensorboard`)).arrayBuffer()),
  );
  assert.deepEqual(scalarsOf(exported), curves);
});

test('TensorBoard itself reads the same curves and texts', {
  skip: !hasTensorBoard && `${python} has no module "tensorboard" (GATELM_TEST_PYTHON names another Python)`,
}, async (context) => {
  const { id, dataDir, address } = await trainInTwoParts(context);
  const live = join(dataDir, 'experiments', id, 'tensorboard');
  const exported = join(temporaryFolder(context), 'run');
  mkdirSync(exported);
  const file = await (await fetch(`${address}/experiments/${id}/tensorboard`)).arrayBuffer();
  writeFileSync(join(exported, 'events.out.tfevents.1.x'), Buffer.from(file));
  for (const folder of [live, exported]) {
    const { stdout, stderr, status } = spawnSync(python, [READER, folder], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { scalars, texts } = JSON.parse(stdout);
    const own = scalarsOf(
      readdirSync(folder)
        .sort()
        .flatMap((name) => decodeEventFile(readFileSync(join(folder, name)))),
    );
    assert.deepEqual(scalars, own);
    assert.deepEqual(texts, { sample: ['the cat — 猫'] });
  }
});

test('no file is written with the setting off, nor does one that cannot be written end the training', async (context) => {
  const off = await startService(context, { plays: true, environment: { tensorboard: 'off' } });
  const on = await startService(context, { plays: true });
  for (const { address, dataDir } of [off, on]) {
    const client = new GatelmClient({ url: address });
    const { id } = await client.createExperiment({ corpus: 'handbook', training: { epochs: 1 } });
    const folder = join(dataDir, 'experiments', id);
    if (dataDir === on.dataDir) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(join(dataDir, 'experiments'), { recursive: true });
      writeFileSync(folder, 'in the way');
    }
    let last = '';
    for await (const { type } of client.follow(id)) last = type;
    assert.equal(last, 'succeeded');
    if (dataDir === off.dataDir) assert.throws(() => readdirSync(join(folder, 'tensorboard')), /ENOENT/);
  }
});
