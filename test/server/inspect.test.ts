/** Looking inside over HTTP, with the real worker on a tiny model. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import request from 'supertest';
import type { ActivationSummary, ScoreResult } from '../../src/contracts/score.js';
import { useBackend } from '../support/backend.js';
import { inProcess } from '../support/in-process-executor.js';
import { startService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

describe('POST /score with inspect', () => {
  useBackend();

  test('shows gates, cells, chosen units and alternatives at each token', async (t) => {
    const service = await startService(t, { executor: inProcess });
    await request(service.address)
      .post('/experiments/import')
      .attach('model', Buffer.from(tinyBundle(temporaryFolder(t)).get('model.safetensors')!), 'model')
      .attach('vocabulary', Buffer.from(TINY_VOCABULARY), 'vocabulary')
      .field('name', 'tiny')
      .expect(201);
    const text = 'the cat sat on the mat';
    const post = (fields: object) =>
      request(service.address)
        .post('/score')
        .send({ text, ...fields });
    const { body: plain } = await post({}).expect(200);
    assert.equal(plain.tokens[0].inside, undefined);

    const units = [
      { layer: 0, unit: 6 },
      { layer: 1, unit: 0 },
    ];
    const { body } = await post({ inspect: true, alternatives: 8, units }).expect(200);
    const { tokens, perplexity } = body as ScoreResult;
    assert.ok(Math.abs(perplexity! - plain.perplexity!) < 1e-4);
    assert.equal(tokens.length, 6);
    for (const { token, surprisal, inside } of tokens) {
      assert.equal(inside!.layers.length, 2);
      for (const channels of inside!.layers) {
        const [forget, candidate, cell, hidden] = ['forget', 'candidate', 'cell', 'hidden'].map(
          (name) => channels[name]!,
        ) as [ActivationSummary, ActivationSummary, ActivationSummary, ActivationSummary];
        assert.ok(forget.min > 0 && forget.max < 1 && forget.min <= forget.mean && forget.mean <= forget.max);
        assert.ok(candidate.min >= -1 && candidate.max <= 1);
        assert.ok(hidden.max <= Math.tanh(cell.max) + 1e-6);
      }
      const sum = inside!.alternatives.reduce((total, one) => total + Math.exp(-one.surprisal), 0);
      assert.ok(Math.abs(sum - 1) < 1e-5, 'eight alternatives are the whole vocabulary');
      const own = inside!.alternatives.find((one) => one.token === token)!;
      assert.ok(Math.abs(own.surprisal - surprisal) < 1e-4);
      assert.deepEqual(
        inside!.units.map(({ layer, unit }) => ({ layer, unit })),
        units,
      );
      for (const { output, cell, hidden } of inside!.units)
        assert.ok(Math.abs(hidden! - output! * Math.tanh(cell!)) < 1e-5);
    }

    const { body: asked } = await request(service.address)
      .post('/score?inspect=true')
      .send({ text })
      .expect(200);
    assert.equal(asked.tokens[0].inside.alternatives.length, 5);
    const { body: wrong } = await post({ inspect: true, units: [{ layer: 1, unit: 5 }] }).expect(400);
    assert.match(wrong.detail, /no unit 5 in layer 1; the layers have 7, 5 units/);
    const ablate = [
      { layer: 0, units: [0, 3] },
      { layer: 1, units: [2] },
    ];
    const off = (await post({ inspect: true, ablate, units: [{ layer: 1, unit: 2 }] }).expect(200))
      .body as ScoreResult;
    assert.ok(off.tokens.every(({ inside }) => inside!.units[0]!.hidden === 0));
    assert.equal(off.tokens.length, tokens.length);
    const moved = off.tokens.map(({ surprisal }, at) => Math.abs(surprisal - tokens[at]!.surprisal));
    assert.ok(Math.max(...moved) > 1e-3, 'the surprisal moves');
    const { body: after } = await post({ inspect: true }).expect(200);
    assert.equal(after.perplexity, perplexity, 'the model itself is as before');
    const nowhere = await post({ inspect: true, ablate: [{ layer: 2, units: [0] }] }).expect(400);
    assert.match(nowhere.body.detail, /no unit 0 in layer 2; the layers have 7, 5 units/);
    const { body: blind } = await post({ ablate }).expect(400);
    assert.match(blind.detail, /ablate.* inspect/);

    const { body: long } = await post({ inspect: true, text: 'the '.repeat(2001) }).expect(400);
    assert.match(long.detail, /2001 tokens; at most 2000/);
  });
});
