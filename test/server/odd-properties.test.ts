/** What holds for any text, name, setting and cut, on a server with small real models. */
import assert from 'node:assert/strict';
import { request as openRequest } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ExperimentName } from '../../src/contracts/experiment-config.js';
import { useBackend } from '../support/backend.js';
import { field, file, formBytes, get, post } from './odd-inputs/ask.js';
import { SMALL_RUN, startWorld, TEXT, type World } from './odd-inputs/world.js';

const unit = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 2 }),
  fc.string({ unit: 'grapheme', maxLength: 2 }),
  fc.constantFrom(
    'the',
    'cat',
    ' ',
    '  ',
    '\n',
    '\r\n',
    'ü',
    '👍',
    '👨‍👩‍👧',
    '\u0301',
    '\ufeff',
    '\0',
    '<unk>',
    '語',
  ),
);
const anyText = fc
  .array(unit, { minLength: 1, maxLength: 12 })
  .map((parts) => parts.join(''))
  .filter((value) => value !== '' && !/\p{Surrogate}/u.test(value));
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

/** The parts of something that has a length, cut at these fractions of it. */
function cutAt<Whole extends { length: number; slice(from: number, to: number): Whole }>(
  whole: Whole,
  fractions: readonly number[],
): Whole[] {
  const places = fractions.map((each) => Math.round(each * whole.length)).sort((a, b) => a - b);
  return [0, ...places].map((from, at) => whole.slice(from, places[at] ?? whole.length));
}

/** Sends a body in pieces of its own chunks of HTTP. */
async function sendPieces({ port }: World, path: string, type: string, pieces: readonly Uint8Array[]) {
  const outgoing = openRequest({ port, path, method: 'POST', headers: { 'content-type': type } });
  const answered = new Promise<{ status: number; body: string }>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      readText(response).then((body) => resolve({ status: response.statusCode!, body }), reject);
    });
  });
  for (const piece of pieces) await new Promise((sent) => outgoing.write(piece, sent));
  outgoing.end();
  return answered;
}

describe('for anything', () => {
  useBackend();

  test('a name that is accepted comes back in NFC, and finds its run however it is written', async (t) => {
    const world = await startWorld(t);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyText, fc.string({ unit: 'grapheme', maxLength: 30 })), async (name) => {
        const made = await post('/experiments', { ...SMALL_RUN, name })(world);
        const isValid = ExperimentName.safeParse(name).success;
        assert.equal(made.status, isValid ? 201 : 400, JSON.stringify(name));
        if (!isValid) return;
        accepted++;
        const { id, name: stored } = made.json();
        assert.equal(stored, name.trim().normalize('NFC').trim());
        for (const way of [id, stored, stored.normalize('NFD')]) {
          if (way.length > 200 || /^\.{1,2}$/.test(way)) continue; // beyond what a path can hold
          const found = await get(`/experiments/${encodeURIComponent(way)}`)(world);
          assert.equal(found.json().name, stored, JSON.stringify(way));
        }
        const listed = await get(`/experiments?limit=200&name=${encodeURIComponent(stored)}`)(world);
        assert.ok(
          listed.json().items.some((item: { id: string }) => item.id === id),
          JSON.stringify(name),
        );
      }),
      { seed: 1, numRuns: 150 },
    );
    assert.ok(accepted > 30, `${accepted} names`);
  });

  test('a form that comes in any pieces is the same corpus', async (t) => {
    const world = await startWorld(t);
    const type = 'multipart/form-data; boundary=x';
    const digests = new Set<string>();
    await fc.assert(
      fc.asyncProperty(cuts, async (fractions) => {
        const name = `cut ${digests.size} ${fractions.join(' ')}`.slice(0, 90);
        const bytes = formBytes([
          field('name', name),
          file('file', `${TEXT}--x-\r\n--\r\n`),
          field('splitBy', 'tail'),
        ]);
        const { status, body } = await sendPieces(world, '/corpora', type, cutAt(bytes, fractions));
        if (status === 409) return; // the same cuts came before
        assert.equal(status, 201, body);
        digests.add(JSON.parse(body).digest);
      }),
      { seed: 2, numRuns: 60 },
    );
    assert.equal(digests.size, 1);
  });

  test('a text scored while it comes in any pieces has the same tokens as at once', async (t) => {
    const world = await startWorld(t);
    await fc.assert(
      fc.asyncProperty(
        anyText,
        cuts,
        fc.constantFrom('bytes', 'characters'),
        async (text, fractions, model) => {
          const whole = await post('/score', { experiment: model, text })(world);
          assert.equal(whole.status, 200, whole.text);
          const pieces = cutAt(Buffer.from(text), fractions);
          const { status, body } = await sendPieces(
            world,
            `/score/stream?experiment=${model}`,
            'text/plain',
            pieces,
          );
          if (text.startsWith('\ufeff') || text.includes('\0')) return; // a file's mark is no text, and NUL is none
          assert.equal(status, 200, body);
          const lines = body
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line));
          const placed = ({ token, start, end }: { token: string; start: number; end: number }) => ({
            token,
            start,
            end,
          });
          assert.deepEqual(lines.slice(0, -1).map(placed), whole.json().tokens.map(placed));
        },
      ),
      { seed: 3, numRuns: 80 },
    );
  });

  test('a text that is streamed is the same as whole, whatever the settings', async (t) => {
    const world = await startWorld(t);
    const settings = fc.record({
      experiment: fc.constantFrom('words', 'characters', 'bytes'),
      prompt: anyText,
      maxTokens: fc.integer({ min: 1, max: 8 }),
      temperature: fc.constantFrom(0, 5e-324, 0.5, 1, 100),
      topK: fc.constantFrom(0, 1, 3, 1e6),
      topP: fc.constantFrom(5e-324, 0.5, 1),
      minP: fc.constantFrom(0, 0.5, 1),
      repetitionPenalty: fc.constantFrom(5e-324, 0.5, 1, 10),
      presencePenalty: fc.constantFrom(-100, 0, 100),
      stop: fc.array(fc.constantFrom('cat', ' ', '\n', 'e', '👍', '\ufffd'), { maxLength: 3 }),
      n: fc.constantFrom(1, 2),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(settings, async (asked) => {
        const whole = await post('/generate', asked)(world);
        assert.equal(whole.status, 200, whole.text);
        const { body } = await world.app.inject({
          method: 'POST',
          url: '/generate',
          payload: asked,
          headers: { accept: 'text/event-stream' },
        });
        const events = body.split('\n\n').filter((event) => event.startsWith('event: '));
        const data = (event: string) => JSON.parse(event.slice(event.indexOf('data: ') + 6));
        assert.deepEqual(data(events.pop()!), whole.json());
        const texts = events.map(data);
        for (const [index, choice] of (whole.json().choices ?? [whole.json()]).entries()) {
          const own = texts.filter((part) => (part.index ?? 0) === index).map(({ text }) => text);
          assert.equal(own.join(''), choice.text);
          assert.doesNotMatch(choice.text, /\p{Surrogate}/u);
        }
      }),
      { seed: 4, numRuns: 120 },
    );
  });

  test('a session that is fed in any pieces is where it is after the whole text', async (t) => {
    const world = await startWorld(t);
    await fc.assert(
      fc.asyncProperty(anyText, cuts, async (text, fractions) => {
        const stateAfter = async (pieces: readonly string[]) => {
          const { id } = (await post('/sessions', { experiment: 'characters' })(world)).json();
          for (const piece of pieces.filter((each) => each !== '')) {
            const fed = await post(`/sessions/${id}/feed`, { text: piece })(world);
            assert.equal(fed.status, 200, fed.text);
          }
          const { tokens, point } = (await get(`/sessions/${id}/state`)(world)).json();
          return { tokens, tail: point.tail, state: point.state };
        };
        const pieces = cutAt([...text], fractions).map((each) => each.join(''));
        assert.deepEqual(await stateAfter(pieces), await stateAfter([text]));
      }),
      { seed: 5, numRuns: 40 },
    );
  });
});
