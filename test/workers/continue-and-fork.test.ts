/** What the service asks of a training beyond a plain one, by the real worker on a small text. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { TrainingEvent } from '../../src/contracts/events.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { StagedUpload } from '../../src/corpora/staged-upload.js';
import { copyInitialModel } from '../../src/experiments/copy-checkpoint.js';
import { FolderArtifactStore } from '../../src/files/folder-artifact-store.js';
import { trainExperiment } from '../../src/tasks/train-experiment.js';
import { useBackend } from '../support/backend.js';

const CONFIG = {
  model: { embeddingSize: 8, hiddenSizes: [8] },
  optimizer: { type: 'adam', learningRate: 0.01 },
  training: { epochs: 2, batchSize: 2, bpttLength: 5, evaluationBatchSize: 1, sampleLength: 0 },
};

async function upload(dataDirectory: string, name: string, line: string): Promise<string> {
  const upload = await StagedUpload.begin(dataDirectory, 1_000_000);
  await upload.receive('whole', Readable.from([Buffer.from(`${line}\n`.repeat(60))]));
  const { id } = await upload.publish({ name, validFraction: 0.2, testFraction: 0.2 });
  await upload.discard();
  return id;
}

describe('a training that goes on or begins elsewhere', () => {
  useBackend();
  let run: (folder: string, changes: object, how?: object) => Promise<TrainingEvent[]>;
  let folder: string;
  after(() => rmSync(folder, { recursive: true }));

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatelm-test-'));
    await upload(folder, 'cats', 'the cat sat on the mat');
    await upload(folder, 'dogs', 'the dog sat on the log');
    run = async (experiment, changes, how = {}) => {
      const { name: _, tags: _t, notes: _n, priority: _p, ...config } = resolveExperimentInput(changes);
      const job = {
        experimentId: 'e',
        attempt: 1,
        config,
        folder: experiment,
        resume: false,
        initial: null,
        ...how,
      };
      const events: TrainingEvent[] = [];
      const outcome = await trainExperiment(
        job,
        { dataDirectory: folder, mirror: null },
        { emit: (event) => events.push(event), readStop: () => null },
      );
      assert.deepEqual(outcome, { type: 'succeeded' });
      return events;
    };
  });

  test('one epoch and one more end in the same bytes as two', async () => {
    const two = await run('two', { ...CONFIG, corpus: 'cats' });
    const one = { ...CONFIG, corpus: 'cats', training: { ...CONFIG.training, epochs: 1 } };
    await run('one', one);
    const more = await run('one', { ...CONFIG, corpus: 'cats' }, { attempt: 2, resume: true });
    assert.deepEqual(find(more, 'started').resumedFrom, { epoch: 1, step: find(two, 'epoch').step });
    assert.equal(find(more, 'succeeded').digest, find(two, 'succeeded').digest);
  });

  test('a fork begins where its parent stands, with its vocabulary, on another text', async () => {
    const long = { ...CONFIG, corpus: 'cats', training: { ...CONFIG.training, epochs: 12 } };
    const parent = await run('parent', long);
    await copyInitialModel(new FolderArtifactStore(folder), 'parent', 'fork/initial');
    const initial = 'fork/initial';
    const still = {
      ...long,
      optimizer: { type: 'sgd', learningRate: 1e-9 },
      training: { ...long.training, epochs: 1 },
    };
    const same = await run('fork', still, { initial });
    const last = parent.filter((event) => event.type === 'epoch').at(-1)!;
    assert.ok(Math.abs(find(same, 'epoch').validLoss! - last.data.validLoss!) < 1e-5);
    const other = await run('fork', { ...still, corpus: 'dogs' }, { initial });
    assert.equal(find(other, 'started').vocabularySize, find(parent, 'started').vocabularySize);
  });

  test('a fork that grows its vocabulary knows the other text, and resumes to the same bytes', async () => {
    const tokenizer = { type: 'character' };
    const training = { ...CONFIG.training, sampleLength: 8 };
    const config = { ...CONFIG, corpus: 'cats', tokenizer, training };
    const parent = find(await run('small', config), 'started').vocabularySize;
    const fork = async (to: string, changes: object, how: object = {}) => {
      const initial = `${to}/initial`;
      if (!('resume' in how)) await copyInitialModel(new FolderArtifactStore(folder), 'small', initial);
      return run(to, { ...config, corpus: 'dogs', ...changes }, { initial, ...how });
    };

    const plain = await fork('plain', {});
    assert.equal(find(plain, 'started').vocabularySize, parent);
    assert.ok(find(plain, 'started').unknownRate! > 0.05);
    assert.match(find(plain, 'warning').advice, /growVocabulary/);

    const grown = await fork('grown', { growVocabulary: true });
    const { vocabularySize, unknownRate } = find(grown, 'started');
    assert.deepEqual([vocabularySize, unknownRate], [parent + 3, 0]); // d, l and g
    assert.ok(!grown.some(({ type }) => type === 'warning'));
    assert.ok(find(grown, 'sample').quality!.copiedShare >= 0);

    const one = { ...training, epochs: 1 };
    await fork('stopped', { growVocabulary: true, training: one });
    const resumed = await fork('stopped', { growVocabulary: true }, { attempt: 2, resume: true });
    assert.equal(find(resumed, 'started').resumedFrom?.epoch, 1);
    assert.equal(find(resumed, 'succeeded').digest, find(grown, 'succeeded').digest);
  });

  test('a fork of an epoch that was kept begins with its weights', async () => {
    const kept = { ...CONFIG.training, epochs: 3, keepEvery: 1 };
    await run('kept', { ...CONFIG, corpus: 'cats', training: kept });
    await run('two', { ...CONFIG, corpus: 'cats', training: { ...kept, epochs: 2 } });
    const fork = async (from: string, epoch: number | null, to: string) => {
      const initial = `${to}/initial`;
      await copyInitialModel(new FolderArtifactStore(folder), from, initial, epoch);
      const events = await run(to, { ...CONFIG, corpus: 'dogs' }, { initial });
      return (events.at(-1) as Extract<TrainingEvent, { type: 'succeeded' }>).data.digest;
    };
    const ofSecond = await fork('kept', 2, 'fork-kept');
    assert.equal(ofSecond, await fork('two', null, 'fork-two'));
    assert.notEqual(ofSecond, await fork('kept', null, 'fork-latest'));
  });
});

function find<Type extends TrainingEvent['type']>(events: readonly TrainingEvent[], type: Type) {
  const event = events.find((candidate) => candidate.type === type);
  assert.ok(event, `there is an event ${type}`);
  return event.data as Extract<TrainingEvent, { type: Type }>['data'];
}
