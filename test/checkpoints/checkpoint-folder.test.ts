import assert from 'node:assert/strict';
import fs, { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { CheckpointFolder, loadWeights } from '../../src/checkpoints/checkpoint-folder.js';
import { AppError } from '../../src/errors.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { INITIAL_PROGRESS } from '../../src/training/trainer-progress.js';
import type { TrainerSnapshot } from '../../src/training/trainer-snapshot.js';
import { weightsDigest } from '../../src/training/weights-digest.js';
import { useBackend } from '../support/backend.js';
import { drawnTensor } from '../support/drawn.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { trainTiny } from '../support/tiny-training.js';

/** A snapshot of a training after so many steps; another seed, other tensors. */
function snapshotOf(step: number, seed = step): TrainerSnapshot {
  return {
    progress: {
      ...INITIAL_PROGRESS,
      step,
      epoch: 1,
      epochLoss: 1 / 3,
      bestValidLoss: 0.1 + 0.2,
      schedule: { divisor: 4, bestValidLoss: 5e-324 },
      maskCounter: 2 ** 40 + 1,
    },
    optimizer: { validLosses: [Math.PI, 1e300], averagedSteps: 3, averaging: 1 },
    tensors: new Map([
      ['lstm0.wx', drawnTensor([3, 4], seed)],
      ['optimizer.lstm0.wx.average', drawnTensor([3, 4], seed + 1000)],
      ['state.0.0.hidden', drawnTensor([2, 1], seed + 2000)],
    ]),
  };
}

/** The snapshot as plain values. */
function plain({ progress, optimizer, tensors }: TrainerSnapshot) {
  const values = Array.from(tensors, ([name, tensor]) => [name, tensor.shape, [...tensor.dataSync()]]);
  tf.dispose([...tensors.values()]);
  return { progress: { ...progress }, optimizer: { ...optimizer }, values };
}

function save(folder: string, step: number, seed = step) {
  const snapshot = snapshotOf(step, seed);
  const saved = new CheckpointFolder(folder).saveSnapshot(snapshot);
  return { saved, expected: plain(snapshot) };
}

const load = (folder: string) => plain(new CheckpointFolder(folder).loadSnapshot()!);

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    assert.ok(error instanceof AppError && error.code === 'checkpoint-corrupt', String(error));
    return error.message;
  }
  return assert.fail('it was read');
}

describe('CheckpointFolder', () => {
  useBackend();
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatelm-checkpoints-'));
  });
  afterEach(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
    rmSync(folder, { recursive: true });
  });
  const checkpoints = () => readdirSync(join(folder, 'checkpoints')).sort();

  it('gives a snapshot back to the last bit, and null when there is none', () => {
    expectNoTensorLeak(() => {
      assert.equal(new CheckpointFolder(folder).loadSnapshot(), null);
      const { saved, expected } = save(folder, 120);
      assert.deepEqual(load(folder), expected);
      assert.match(saved.file, /^checkpoints\/step-000000120-[0-9a-f]{8}\.safetensors$/);
      assert.equal(saved.bytes, readFileSync(join(folder, saved.file)).length);
      const weights = new Map([['lstm0.wx', drawnTensor([3, 4], 120)]]);
      assert.equal(saved.digest, weightsDigest(weights), 'the digest is of the weights alone');
      tf.dispose([...weights.values()]);
    });
  });

  it('keeps the latest snapshot alone', () => {
    for (const step of [1, 2, 30]) save(folder, step);
    assert.deepEqual(checkpoints().length, 2);
    assert.equal(load(folder).progress.step, 30);
  });

  it('keeps that of every k-th epoch for good, and forgets all when it begins anew', () => {
    const sink = new CheckpointFolder(folder, { keepEvery: 2 });
    for (let epoch = 1; epoch <= 5; epoch++) {
      for (const epochSteps of [7, 0]) {
        const snapshot = snapshotOf(10 * epoch - epochSteps);
        sink.saveSnapshot({
          ...snapshot,
          progress: { ...snapshot.progress, epoch: epochSteps > 0 ? epoch - 1 : epoch, epochSteps },
        });
        tf.dispose([...snapshot.tensors.values()]);
      }
    }
    const files = checkpoints();
    assert.deepEqual(
      files.filter((file) => file.endsWith('.json')),
      ['epoch-000002.json', 'epoch-000004.json', 'latest.json'],
    );
    const steps = files.filter((file) => file.startsWith('step-')).map((file) => Number(file.slice(5, 14)));
    assert.deepEqual(steps, [20, 40, 50]);
    const { file } = JSON.parse(readFileSync(join(folder, 'checkpoints', 'epoch-000004.json'), 'utf8'));
    assert.ok(files.includes(file) && file.startsWith('step-000000040'));
    sink.forgetSnapshot();
    assert.deepEqual(checkpoints(), []);
  });

  it('forgets the snapshot when asked to, but not the weights that are served', () => {
    expectNoTensorLeak(() => {
      save(folder, 1);
      const sink = new CheckpointFolder(folder);
      const weights = new Map([['w', drawnTensor([2], 1)]]);
      const { digest } = sink.saveBestWeights(weights);
      sink.forgetSnapshot();
      assert.equal(sink.loadSnapshot(), null);
      assert.deepEqual(checkpoints(), []);
      const loaded = sink.loadBestWeights();
      assert.equal(weightsDigest(loaded), digest);
      tf.dispose([[...weights.values()], [...loaded.values()]]);
    });
  });

  // what a full disk or a kill does, at the n-th call of each function that changes the folder
  for (const call of ['openSync', 'writeSync', 'fsyncSync', 'renameSync'] as const) {
    for (const [what, step] of [
      ['another step', 8],
      ['the same step, as at the end of an epoch', 7],
    ] as const) {
      it(`has a whole snapshot after a crash at any ${call} of saving ${what}`, () => {
        const { expected } = save(folder, 7);
        for (let crashAt = 1; ; crashAt++) {
          let calls = 0;
          const original = fs[call] as (...args: unknown[]) => unknown;
          mock.method(fs, call, (...args: unknown[]) => {
            if (++calls >= crashAt) throw Object.assign(new Error('crash'), { code: 'EIO' });
            return original(...args);
          });
          syncBuiltinESMExports();
          let failed = false;
          try {
            save(folder, step, 99);
          } catch (error) {
            assert.ok(error instanceof AppError && error.code === 'write-failed', String(error));
            failed = true;
          }
          mock.restoreAll();
          syncBuiltinESMExports();
          const found = load(folder);
          if (!failed) {
            assert.ok(crashAt > 2, 'it crashed at the tensors and at the record');
            assert.equal(found.progress.step, step);
            assert.equal(checkpoints().length, 2, 'what crashes left was removed');
            return;
          }
          if (found.progress.step === 7 && step !== 7) assert.deepEqual(found, expected);
          else assert.equal(found.progress.step, step);
        }
      });
    }
  }

  it('says that the disk is full, keeps what was there and leaves nothing half written', () => {
    const { expected } = save(folder, 7);
    const before = checkpoints();
    mock.method(fs, 'writeSync', () => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    });
    syncBuiltinESMExports();
    assert.throws(() => save(folder, 8), { code: 'out-of-disk' });
    mock.restoreAll();
    syncBuiltinESMExports();
    assert.deepEqual(checkpoints(), before);
    assert.deepEqual(load(folder), expected);
  });

  it('writes on where the system wrote a part only', () => {
    const original = fs.writeSync as (
      descriptor: number,
      bytes: Uint8Array,
      from: number,
      count: number,
    ) => number;
    mock.method(fs, 'writeSync', (descriptor: number, bytes: Uint8Array, from: number) =>
      original(descriptor, bytes, from, Math.min(7, bytes.length - from)),
    );
    syncBuiltinESMExports();
    const { expected } = save(folder, 7);
    assert.deepEqual(load(folder), expected);
  });

  it('removes what writers that were killed left behind', () => {
    save(folder, 7);
    const leftovers = [
      join(folder, 'checkpoints', 'step-000000008-00000000.safetensors.123.tmp'),
      join(folder, 'checkpoints', 'latest.json.123.tmp'),
      join(folder, 'model', 'weights.safetensors.123.tmp'),
    ];
    for (const file of leftovers) writeFileSync(file, 'half');
    const { expected } = save(folder, 9);
    const sink = new CheckpointFolder(folder);
    const weights = tf.zeros([1]);
    sink.saveBestWeights(new Map([['w', weights]]));
    weights.dispose();
    assert.deepEqual(load(folder), expected);
    for (const file of leftovers) assert.ok(!existsSync(file), file);
  });

  it('refuses a snapshot of which any byte was altered, and says which file', () => {
    const { saved } = save(folder, 7);
    const path = join(folder, saved.file);
    const bytes = readFileSync(path);
    for (const at of [0, 9, bytes.length - 1]) {
      const altered = Buffer.from(bytes);
      altered[at]! ^= 1;
      writeFileSync(path, altered);
      assert.match(
        refusal(() => load(folder)),
        /^step-.*\.safetensors is not usable: it has SHA-256/,
      );
    }
    writeFileSync(path, bytes.subarray(0, 40));
    assert.match(
      refusal(() => load(folder)),
      /SHA-256/,
    );
    rmSync(path);
    assert.match(
      refusal(() => load(folder)),
      /ENOENT/,
    );
  });

  it('refuses a record that is broken, of another version, or points elsewhere', () => {
    save(folder, 7);
    const path = join(folder, 'checkpoints', 'latest.json');
    const record = JSON.parse(readFileSync(path, 'utf8')) as { progress: object };
    const broken: [string, RegExp][] = [
      ['{"version":1', /not JSON/],
      ['', /not JSON/],
      ['null', /latest\.json is not usable/],
      [JSON.stringify({ ...record, version: 2 }), /version/],
      [JSON.stringify({ ...record, file: '../../etc/passwd' }), /file/],
      [JSON.stringify({ ...record, file: 'step-1.safetensors/../../x' }), /file/],
      [JSON.stringify({ ...record, progress: { ...record.progress, step: null } }), /step/],
      [JSON.stringify({ ...record, progress: { ...record.progress, extra: 1 } }), /extra/],
    ];
    for (const [text, message] of broken) {
      writeFileSync(path, text);
      assert.match(
        refusal(() => new CheckpointFolder(folder).loadSnapshot()),
        message,
      );
    }
  });

  it('refuses best weights whose digest is not theirs, and frees them', () => {
    expectNoTensorLeak(() => {
      const sink = new CheckpointFolder(folder);
      const weights = new Map([['w', drawnTensor([8], 1)]]);
      const { file } = sink.saveBestWeights(weights);
      const path = join(folder, file);
      const bytes = readFileSync(path);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(path, bytes);
      assert.match(
        refusal(() => loadWeights(path)),
        /weights have SHA-256/,
      );
      rmSync(path);
      assert.match(
        refusal(() => sink.loadBestWeights()),
        /ENOENT/,
      );
      tf.dispose([...weights.values()]);
    });
  });

  it('carries a training over a process that ends between two checkpoints of one step', async () => {
    // the 8th step ends the epoch: a checkpoint is due in its middle and at its end
    const training = { epochs: 2, checkpointEvery: 8 };
    const whole = await trainTiny({ training });
    const original = fs.renameSync;
    let renames = 0;
    mock.method(fs, 'renameSync', (from: string, to: string) => {
      // tensors and record of the first, the best weights, the tensors of the second – and its record is never written
      if (++renames > 4) throw Object.assign(new Error('killed'), { code: 'EIO' });
      original(from, to);
    });
    syncBuiltinESMExports();
    const sink = new CheckpointFolder(folder);
    await assert.rejects(trainTiny({ training, sink }), { code: 'write-failed' });
    mock.restoreAll();
    syncBuiltinESMExports();
    const rest = await trainTiny({ training, sink });
    assert.deepEqual(rest.events.at(-1)!.data, {
      ...whole.events.at(-1)!.data,
      ...secondsOf(rest.events.at(-1)!.data),
    });
  });
});

/** Time is the one thing that may differ. */
function secondsOf(data: object): object {
  return 'seconds' in data ? { seconds: data.seconds } : {};
}
