import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import request from 'supertest';
import { Experiment } from '../../src/contracts/experiment.js';
import { useBackend } from '../support/backend.js';
import { checkpointEvent, epochEvent, startedEvent } from '../support/fake-executor.js';
import { inProcess } from '../support/in-process-executor.js';
import { ProgressClient } from '../support/progress-client.js';
import { startService, type TestService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

const TEXT = 'the cat sat on the mat\nthe dog sat\n';

function postBundle({ address }: TestService, files: Readonly<Record<string, Uint8Array | string>>) {
  const form = request(address).post('/experiments/import');
  for (const [name, bytes] of Object.entries(files)) form.attach(name, Buffer.from(bytes), name);
  return form;
}

function leftovers({ dataDir }: TestService): string[] {
  return ['transfers', 'experiments'].flatMap((folder) => {
    const path = join(dataDir, folder);
    return existsSync(path) ? readdirSync(path) : [];
  });
}

describe('a model of PyTorch', () => {
  useBackend();

  test('is imported, served like one’s own, exported, and imported again as the same', async (t) => {
    const service = await startService(t, { executor: inProcess });
    const { address } = service;
    const bundle = Object.fromEntries(tinyBundle(temporaryFolder(t)));
    const parts = { model: bundle['model.safetensors']!, config: bundle['config.json']! };
    const { body, headers } = await postBundle(service, { ...parts, vocabulary: TINY_VOCABULARY })
      .field('name', 'from elsewhere')
      .expect(201);
    const first = Experiment.parse(body);
    assert.equal(headers.location, `/experiments/${first.id}`);
    assert.deepEqual(
      [first.state, first.name, first.vocabularySize, first.config.model.hiddenSizes, first.config.corpus],
      ['succeeded', 'from elsewhere', 8, [7, 5], 'handbook'],
    );
    assert.equal(first.config.tokenizer.type, 'word');
    const { body: events } = await request(address).get(`/experiments/${first.id}/events`).expect(200);
    assert.deepEqual(
      events.items.map(({ type, data }: { type: string; data: { reason: string } }) => [type, data.reason]),
      [['succeeded', 'imported']],
    );

    const exported = await request(address)
      .get(`/experiments/${first.id}/export`)
      .buffer()
      .parse((response, done) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk)).on('end', () => done(null, Buffer.concat(chunks)));
      })
      .expect(200);
    assert.equal(exported.headers['content-type'], 'application/x-tar');
    assert.equal(Number(exported.headers['content-length']), exported.body.length);
    const files = untar(exported.body, temporaryFolder(t));
    assert.deepEqual(Object.keys(files).sort(), ['config.json', 'model.safetensors', 'tokenizer.json']);
    assert.deepEqual(files['model.safetensors'], Buffer.from(bundle['model.safetensors']!));

    const { body: again } = await postBundle(service, {
      model: files['model.safetensors']!,
      tokenizer: files['tokenizer.json']!,
      config: files['config.json']!,
    }).expect(201);
    assert.equal(again.digest, first.digest);
    const [one, two] = await Promise.all(
      [first, again].map(({ id }) =>
        request(address).post('/score').send({ experiment: id, text: TEXT }).expect(200),
      ),
    );
    assert.deepEqual(one!.body, two!.body);
    const written = await request(address)
      .get(`/generate?experiment=${again.id}&prompt=the&maxTokens=5&seed=1`)
      .expect(200);
    assert.equal(written.body.tokens, 5);
    assert.deepEqual(readdirSync(join(service.dataDir, 'transfers')), []);
  });

  test('that is not what it seems is refused by its reason, and leaves nothing behind', async (t) => {
    const service = await startService(t, { executor: inProcess });
    const bundle = Object.fromEntries(tinyBundle(temporaryFolder(t)));
    const model = bundle['model.safetensors']!;
    const refused = {
      'the weights are missing': [{ vocabulary: TINY_VOCABULARY }, 'bad-request', /"model" is missing/],
      'the vocabulary is missing': [{ model }, 'bad-request', /"vocabulary".* is missing/],
      'a file is unknown': [
        { weights: model },
        'bad-request',
        /Unknown file "weights"; known: model, tokenizer/,
      ],
      'the weights are cut': [
        { model: model.slice(0, -4), vocabulary: TINY_VOCABULARY },
        'checkpoint-corrupt',
        /truncated/,
      ],
      'a word is missing': [
        { model, vocabulary: TINY_VOCABULARY.replace('cat\n', '') },
        'tensor-mismatch',
        /encoder.weight/,
      ],
      'the config lies': [
        { model, vocabulary: TINY_VOCABULARY, config: '{"model":{"embeddingSize":6}}' },
        'tensor-mismatch',
        /embeddingSize/,
      ],
      'the config names a corpus that cannot be': [
        { model, vocabulary: TINY_VOCABULARY, config: '{"corpus":"../../etc"}' },
        'validation-failed',
        /corpus/,
      ],
    } as const;
    for (const [what, [files, code, detail]] of Object.entries(refused)) {
      const { body } = await postBundle(service, files).expect(400);
      assert.equal(body.code, code, what);
      assert.match(body.detail, detail, what);
    }
    await request(service.address).post('/experiments/import').send({}).expect(415);
    assert.deepEqual(leftovers(service), []);
    assert.deepEqual((await request(service.address).get('/experiments')).body.items, []);
  });
});

test('an import beyond the limit is refused while it comes', async (t) => {
  const service = await startService(t, { environment: { maxUploadBytes: 2000 } });
  const { body } = await postBundle(service, {
    vocabulary: 'a'.repeat(1500),
    model: 'b'.repeat(1500),
  }).expect(413);
  assert.equal(body.code, 'body-too-large');
  assert.deepEqual(leftovers(service), []);
});

test('an experiment without weights has nothing to export', async (t) => {
  const service = await startService(t);
  const { body } = await request(service.address).post('/experiments').send({}).expect(201);
  const path = `/experiments/${body.id}/export`;
  assert.equal((await request(service.address).get(path).expect(409)).body.code, 'experiment-untrained');
  const run = await service.training.run(0);
  run.emit(startedEvent(), epochEvent(1), checkpointEvent(1));
  await new ProgressClient(`${service.socketAddress}/experiments/${body.id}/progress`).until('checkpoint');
  await request(service.address).get(`${path}?tiedWeights=once`).expect(200);
  const task = service.inference.tasks.at(-1);
  assert.ok(task?.type === 'export' && task.tiedWeights === 'once');
  await request(service.address).get(`${path}?tiedWeights=thrice`).expect(400);
});

function untar(archive: Buffer, folder: string): Record<string, Buffer> {
  const target = join(folder, 'files');
  mkdirSync(target);
  writeFileSync(join(folder, 'bundle.tar'), archive);
  execFileSync('tar', ['-xf', join(folder, 'bundle.tar'), '-C', target]);
  return Object.fromEntries(readdirSync(target).map((name) => [name, readFileSync(join(target, name))]));
}
