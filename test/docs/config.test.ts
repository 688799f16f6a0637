/** docs/config.md says what the code says, and no document names a variable that nothing reads. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENVIRONMENT_VARIABLES } from '../../src/contracts/environment.js';
import { PRESETS } from '../../src/contracts/presets.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { REPOSITORY } from '../support/gatelm-server.js';
import { codeBlocks, DOCUMENTS, readDocument } from './documents.js';

const VARIABLE = /\bGATELM_[A-Z_]+[A-Z]\b/g;
const CONFIG = readDocument('docs/config.md');

test('the config is valid and says what its preset says', () => {
  const [config] = codeBlocks(CONFIG, 'jsonc');
  const shown = JSON.parse(config!.replace(/\/\/.*$/gm, ''));
  assert.deepEqual(
    resolveExperimentInput(shown).optimizer,
    resolveExperimentInput({ preset: shown.preset }).optimizer,
  );
  assert.deepEqual(
    resolveExperimentInput(shown).model,
    resolveExperimentInput({ preset: shown.preset }).model,
  );
});

test('the table has every preset with the perplexity that its source reports', () => {
  for (const [name, { ptbTestPerplexity }] of Object.entries(PRESETS)) {
    const rows = CONFIG.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const row = rows.find(([, first]) => first === `\`${name}\``);
    assert.equal(row?.[3], String(ptbTestPerplexity ?? '–'), name);
  }
});

test('the variables that the documents name are read by something', () => {
  const known = new Set(ENVIRONMENT_VARIABLES.map(({ name }) => name));
  for (const folder of ['scripts', 'src/cli', 'src/client', 'bench', 'test'])
    for (const path of readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' }))
      if (/\.(ts|mjs)$/.test(path))
        for (const [name] of readFileSync(join(REPOSITORY, folder, path), 'utf8').matchAll(VARIABLE))
          known.add(name);
  for (const document of DOCUMENTS)
    for (const [name] of readDocument(document).matchAll(VARIABLE))
      assert.ok(known.has(name), `${document}: ${name}`);
});
