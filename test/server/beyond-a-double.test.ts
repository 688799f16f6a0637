/** A model so sure of one token that the perplexity of all else is beyond what a double holds: every answer is still one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import request from 'supertest';
import { EvaluationResult } from '../../src/contracts/evaluation.js';
import { RankResult, ScoreResult, ScoreSummary } from '../../src/contracts/score.js';
import { useBackend } from '../support/backend.js';
import { InProcessExecutor } from '../support/in-process-executor.js';
import { startService, temporaryFolder } from '../support/service.js';
import { TINY_VOCABULARY, tinyBundle } from '../support/tiny-bundle.js';

/** Nats that all tokens but the first are away from it. */
const SURE = 5000;

/** The same model with another bias: header of safetensors, then the numbers of its tensors. */
function makeSure(bundle: Uint8Array): Buffer {
  const bytes = Buffer.from(bundle);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength));
  const [start, end] = header['decoder.bias'].data_offsets as [number, number];
  for (let at = start; at < end; at += 4) bytes.writeFloatLE(at === start ? SURE : 0, 8 + headerLength + at);
  return bytes;
}

describe('a perplexity beyond what a double holds', () => {
  useBackend();

  test('is null in every answer, beside a loss that tells how far beyond', async (t) => {
    const { address } = await startService(t, { executor: (folder) => new InProcessExecutor(folder) });
    const model = makeSure(tinyBundle(temporaryFolder(t)).get('model.safetensors')!);
    const { body } = await request(address)
      .post('/experiments/import')
      .attach('model', model, 'model')
      .attach('vocabulary', Buffer.from(TINY_VOCABULARY), 'vocabulary')
      .expect(201);
    const text = 'the cat sat on the mat';
    const post = async (path: string, fields: object) =>
      (await request(address).post(path).send(fields).expect(200)).body;

    const score = ScoreResult.parse(await post('/score', { text }));
    assert.equal(score.perplexity, null);
    assert.ok(score.tokens.some(({ surprisal }) => surprisal > 709));
    const evaluation = EvaluationResult.parse(await post(`/experiments/${body.id}/evaluate`, { text }));
    assert.equal(evaluation.perplexity, null);
    assert.ok(evaluation.loss > 709);
    const ranking = RankResult.parse(await post('/rank', { prompt: 'the', alternatives: [' cat', ' mat'] }));
    assert.deepEqual(
      ranking.items.map(({ perplexity }) => perplexity),
      [null, null],
    );
    assert.ok(Math.abs(ranking.items.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-6);
    const lines = (
      await request(address).post('/score/stream').type('text/plain').send(text).buffer(true).expect(200)
    ).text
      .trim()
      .split('\n');
    assert.equal(ScoreSummary.parse(JSON.parse(lines.at(-1)!)).perplexity, null);
    await post('/generate', { maxTokens: 3 });
    const { choices } = await post('/v1/completions', {
      model: body.id,
      prompt: 'the',
      max_tokens: 3,
      logprobs: 2,
    });
    assert.equal(choices[0].logprobs.token_logprobs.length, 3);
  });
});
