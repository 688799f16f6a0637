import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanUp } from './clean-up.js';

test('cleans up in reverse order, all of it, and then says what failed', async () => {
  const hooks: (() => unknown)[] = [];
  const owner = { after: (hook: unknown) => hooks.push(hook as () => unknown) } as unknown as Parameters<
    typeof cleanUp
  >[0];
  const calls: string[] = [];
  cleanUp(owner, () => calls.push('folder'));
  cleanUp(owner, () => {
    throw new Error('the server does not end');
  });
  cleanUp(owner, async () => {
    await Promise.resolve();
    calls.push('client');
  });
  assert.equal(hooks.length, 1);
  await assert.rejects(async () => hooks[0]?.(), /the server does not end/);
  assert.deepEqual(calls, ['client', 'folder']);
});
