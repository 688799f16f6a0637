import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sessions } from '../../src/experiments/sessions.js';

const STATE = { digest: 'd', tokens: 2, point: { state: null, tail: [1], endsWithSpace: false } };

function sessionsAt(limits: { most: number; ttlMs: number }) {
  const clock = { now: 1_000_000 };
  return { clock, sessions: new Sessions(limits, () => clock.now) };
}

test('a session is forgotten when it was not used for its time, and not before', () => {
  const { clock, sessions } = sessionsAt({ most: 10, ttlMs: 1000 });
  const { id, expiresAt } = sessions.create('e', STATE);
  const other = sessions.create('e', STATE);
  assert.equal(expiresAt, new Date(clock.now + 1000).toISOString());
  clock.now += 900;
  sessions.get(id);
  clock.now += 900;
  assert.equal(sessions.get(id).id, id);
  assert.throws(() => sessions.get(other.id), { code: 'session-not-found' });
  clock.now += 1000;
  assert.equal(sessions.size, 0);
});

test('there are as many as the limit says; one that goes makes room', () => {
  const { clock, sessions } = sessionsAt({ most: 2, ttlMs: 1000 });
  const { id } = sessions.create('e', STATE);
  sessions.create('e', STATE);
  assert.throws(() => sessions.create('e', STATE), { code: 'queue-full' });
  sessions.delete(id);
  sessions.create('e', STATE);
  clock.now += 1001;
  sessions.create('e', STATE);
  assert.equal(sessions.size, 1);
});

test('a session does one thing at a time, and keeps its state when that fails', async () => {
  const { clock, sessions } = sessionsAt({ most: 2, ttlMs: 1000 });
  const { id } = sessions.create('e', STATE);
  let finish = () => {};
  const working = sessions.use(id, async ({ state }) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return { state: { ...state, tokens: 5 }, result: 'done' };
  });
  await assert.rejects(
    sessions.use(id, async ({ state }) => ({ state, result: 0 })),
    { code: 'session-busy' },
  );
  clock.now += 2000;
  assert.equal(sessions.size, 1, 'one at work does not expire');
  finish();
  assert.equal(await working, 'done');
  assert.equal(sessions.get(id).tokens, 5);
  await assert.rejects(
    sessions.use(id, async () => {
      throw new Error('no');
    }),
    /no/,
  );
  assert.equal(sessions.get(id).tokens, 5);
});

test('a session that is deleted while it works stays away', async () => {
  const { sessions } = sessionsAt({ most: 2, ttlMs: 1000 });
  const { id } = sessions.create('e', STATE);
  await sessions.use(id, async ({ state }) => {
    sessions.delete(id);
    return { state, result: 0 };
  });
  assert.equal(sessions.size, 0);
});
