/** Inputs that broke other servers of this kind, or could break this one: what each is answered. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDocument } from '../docs/documents.js';
import { useBackend } from '../support/backend.js';
import { check, type OddInput } from './odd-inputs/ask.js';
import { THEMES } from './odd-inputs/themes.js';
import { startWorld } from './odd-inputs/world.js';

describe('odd inputs', () => {
  useBackend();

  test('each is answered as its row says, and the server is as it was afterwards', async (t) => {
    const world = await startWorld(t);
    for (const [theme, rows] of Object.entries(THEMES))
      await t.test(theme, async (t) => {
        for (const row of rows) await t.test(row[0], async () => check(await row[1](world), row, world));
      });
    assert.equal((await world.app.inject('/healthz')).statusCode, 200);
  });

  test('each has a name of its own, and docs/robustness.md counts them', (t) => {
    const rows: readonly OddInput[] = Object.values(THEMES).flat();
    assert.equal(new Set(rows.map(([name]) => name)).size, rows.length);
    t.diagnostic(`${rows.length} odd inputs`);
    assert.ok(rows.length >= 200, `${rows.length} rows`);
    const page = readDocument('docs/robustness.md');
    for (const [theme, { length }] of [...Object.entries(THEMES), ['all', rows] as const])
      assert.match(page, new RegExp(`^\\| ${theme} +\\| ${length} +\\|$`, 'm'));
  });
});
