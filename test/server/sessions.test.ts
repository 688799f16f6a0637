/** Sessions over HTTP, with the real worker on a tiny model. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import request from 'supertest';
import { useBackend } from '../support/backend.js';
import { inProcess } from '../support/in-process-executor.js';
import { type ServiceOptions, startService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

const ASKED = { maxTokens: 15, seed: 3 };

describe('a session', () => {
  useBackend();

  async function start(t: TestContext, options: ServiceOptions = {}) {
    const service = await startService(t, { executor: inProcess, ...options });
    const model = Buffer.from(tinyBundle(temporaryFolder(t)).get('model.safetensors')!);
    const importAs = (name: string) =>
      request(service.address)
        .post('/experiments/import')
        .attach('model', model, 'model')
        .attach('vocabulary', Buffer.from(TINY_VOCABULARY), 'vocabulary')
        .field('name', name)
        .expect(201);
    const { body: experiment } = await importAs('tiny');
    const post = (path: string, body: object = {}) => request(service.address).post(path).send(body);
    const create = async (body: object) =>
      (await post('/sessions', { experiment: 'tiny', ...body }).expect(201)).body;
    return { service, post, create, experiment };
  }

  test('fed in pieces goes on like one prompt, to the last token', async (t) => {
    const { post, create, experiment } = await start(t);
    const { body: whole } = await post('/generate', {
      experiment: 'tiny',
      prompt: 'the cat sat on',
      ...ASKED,
    });
    const session = await create({ prompt: 'the cat' });
    assert.deepEqual([session.experimentId, session.tokens], [experiment.id, 2]);
    const { body: fed } = await post(`/sessions/${session.id}/feed`, { text: 'sat' }).expect(200);
    assert.equal(fed.tokens, 3);
    const { body: written } = await post(`/sessions/${session.id}/generate`, {
      prompt: 'on',
      ...ASKED,
    }).expect(200);
    assert.equal(written.text, whole.text);
    const { body: after } = await request((await start(t)).service.address)
      .get('/sessions/none')
      .expect(404);
    assert.equal(after.code, 'session-not-found');
  });

  test('that was begun with a space at the end goes on with a word, also in a fork and after an export', async (t) => {
    const { post, create, service } = await start(t);
    for (const seed of [1, 2, 3, 4]) {
      const asked = { maxTokens: 4, seed };
      const { body: whole } = await post('/generate', { experiment: 'tiny', prompt: 'the cat ', ...asked });
      const { id } = await create({ prompt: 'the cat ' });
      const { body: fork } = await post(`/sessions/${id}/fork`).expect(201);
      const { body: state } = await request(service.address).get(`/sessions/${id}/state`).expect(200);
      const restored = await create({ state });
      for (const session of [id, fork.id, restored.id]) {
        const { body } = await post(`/sessions/${session}/generate`, asked).expect(200);
        assert.equal(body.text, whole.text, `seed ${seed}`);
        assert.doesNotMatch(body.text, /^ /);
      }
    }
  });

  test('writes on where it stopped, and a fork does so by itself', async (t) => {
    const { post, create, service } = await start(t);
    const greedy = { temperature: 0 };
    const { body: whole } = await post('/generate', {
      experiment: 'tiny',
      prompt: 'the',
      ...greedy,
      maxTokens: 24,
    });
    const { id } = await create({ prompt: 'the' });
    const write = async (session: string, maxTokens: number) =>
      (await post(`/sessions/${session}/generate`, { ...greedy, maxTokens }).expect(200)).body.text;
    const first = await write(id, 10);
    const { body: fork } = await post(`/sessions/${id}/fork`).expect(201);
    assert.equal(first + (await write(id, 14)), whole.text);
    assert.equal(first + (await write(fork.id, 14)), whole.text);
    const { body: view } = await request(service.address).get(`/sessions/${id}`).expect(200);
    assert.equal(view.tokens, 1 + 24);
    await request(service.address).delete(`/sessions/${id}`).expect(204);
    await request(service.address).get(`/sessions/${id}`).expect(404);
    await request(service.address).get(`/sessions/${fork.id}`).expect(200);
  });

  test('streams as /generate does', async (t) => {
    const { post, create } = await start(t);
    const { id } = await create({ prompt: 'the' });
    const { body: fork } = await post(`/sessions/${id}/fork`).expect(201);
    const { body: whole } = await post(`/sessions/${id}/generate`, ASKED).expect(200);
    const { text } = await post(`/sessions/${fork.id}/generate`, ASKED)
      .set('accept', 'text/event-stream')
      .expect(200);
    const pieces = [...text.matchAll(/^event: text\ndata: (.*)$/gm)].map(
      ([, json]) => JSON.parse(json!).text,
    );
    assert.equal(pieces.join(''), whole.text);
  });

  test('is kept elsewhere and brought back; a state of another shape or of other weights is refused', async (t) => {
    const { post, create, service } = await start(t);
    const { id } = await create({ prompt: 'the cat sat' });
    const { body: state } = await request(service.address).get(`/sessions/${id}/state`).expect(200);
    const back = await create({ state });
    assert.equal(back.tokens, 3);
    const texts = await Promise.all(
      [id, back.id].map(
        async (session) => (await post(`/sessions/${session}/generate`, ASKED).expect(200)).body.text,
      ),
    );
    assert.equal(texts[0], texts[1]);

    const refuse = async (changed: object, status: number, code: string) => {
      const { body } = await post('/sessions', {
        experiment: 'tiny',
        state: { ...state, ...changed },
      }).expect(status);
      assert.equal(body.code, code);
    };
    await refuse({ digest: 'other' }, 409, 'session-stale');
    const bytes = Buffer.from(state.point.state, 'base64');
    const pointOf = (base64: string) => ({ point: { ...state.point, state: base64 } });
    await refuse(pointOf(bytes.subarray(4).toString('base64')), 400, 'session-invalid');
    await refuse(pointOf(bytes.subarray(1).toString('base64')), 400, 'session-invalid');
    bytes.writeFloatLE(Number.NaN, 0);
    await refuse(pointOf(bytes.toString('base64')), 400, 'session-invalid');
    await refuse(pointOf('*not base64*'), 400, 'validation-failed');
    await refuse({ point: { ...state.point, tail: [99] } }, 400, 'token-id-out-of-range');
    await refuse({ point: { ...state.point, tail: [] } }, 400, 'validation-failed');
    const { body } = await post('/sessions', { state, prompt: 'the' }).expect(400);
    assert.equal(body.errors[0].path, 'prompt');
  });

  test('there are no more than GATELM_MAX_SESSIONS', async (t) => {
    const { post, create } = await start(t, { environment: { maxSessions: 1 } });
    await create({});
    const { body, headers } = await post('/sessions', { experiment: 'tiny' }).expect(429);
    assert.equal(body.code, 'queue-full');
    assert.ok(Number(headers['retry-after']) > 0);
  });
});
