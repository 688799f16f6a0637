import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExperimentState } from '../../src/contracts/experiment.js';
import { en } from '../../web/logic/messages/en.js';
import { ja } from '../../web/logic/messages/ja.js';
import { fillMessage } from '../../web/logic/messages/translate.js';
import { REPOSITORY } from '../support/gatelm-server.js';

const namesIn = (message: string) => [...message.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).sort();

test('each language says all that English says, with the same names to fill in', () => {
  assert.deepEqual(Object.keys(ja).sort(), Object.keys(en).sort());
  for (const [key, message] of Object.entries(en)) {
    const other = ja[key as keyof typeof en];
    assert.notEqual(other.trim(), '', key);
    assert.deepEqual(namesIn(other), namesIn(message), key);
  }
});

test('every message is used, and states are all named', () => {
  const sources = readdirSync(join(REPOSITORY, 'web'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes('messages/en') && !name.includes('messages/ja'))
    .map((name) => readFileSync(join(REPOSITORY, 'web', name), 'utf8'))
    .join('\n');
  // t(`state.${state}`) uses all that begin with "state."
  const families = [...sources.matchAll(/`([\w.]+)\.\$\{/g)].map(([, family]) => `${family}.`);
  const unused = Object.keys(en).filter(
    (key) => !sources.includes(`'${key}'`) && !families.some((family) => key.startsWith(family)),
  );
  assert.deepEqual(unused, []);
  for (const state of ExperimentState.options) assert.ok(`state.${state}` in en, state);
});

test('names without a value stay as they are', () => {
  assert.equal(fillMessage('{a} of {b}', { a: 1 }), '1 of {b}');
});
