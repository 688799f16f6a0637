/** Runs the commands of README.md, and compares its tables with the code. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { PRESETS } from '../../src/contracts/presets.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { REPOSITORY, startGatelm } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';

const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, body]) => body!);
const inlineCode = [...README.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);

test('the commands run, in order, against a server', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, join(folder, 'server-data'));
  for (const name of ['dist', 'examples']) symlinkSync(join(REPOSITORY, name), join(folder, name));
  writeFileSync(join(folder, 'notes.txt'), 'a text of my own, not a long one\n'.repeat(500));
  const commands = blocks('sh')
    .join('\n')
    .replaceAll('http://127.0.0.1:8080', server.address)
    .replace(/^npm .*$/gm, ''); // of these the next test looks at the names
  const script = `set -euo pipefail\ncurl() { command curl -sSf "$@"; echo; }\n${commands}`;
  const child = spawn('bash', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /"type":"succeeded"/);
  assert.match(stdout, /"text":"/);
  assert.match(stdout, /"surprisal":/);
  assert.match(stdout, /"name":"notes"/);
  assert.match(stdout, /GATELM_PORT/);
  assert.match(stdout, /epoch 2: valid perplexity \d/);
});

test('the npm scripts that it names exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  const named = [...README.matchAll(/\bnpm (?:run )?([a-z]+)/g)].map(([, name]) => name!);
  assert.ok(named.includes('quickstart') && named.includes('test'));
  const others = ['packages', 'pack', 'install']; // a noun, and npm's own commands
  for (const name of named)
    assert.ok(others.includes(name) || Object.hasOwn(scripts, name), `npm run ${name}`);
});

test('the files that it links to exist', () => {
  for (const [, path] of README.matchAll(/\]\(([^)#]+)\)/g))
    assert.ok(existsSync(join(REPOSITORY, path!)), path);
  for (const path of inlineCode.filter((code) => /^(src|examples|docs)\/\S+$/.test(code))) {
    assert.ok(existsSync(join(REPOSITORY, path)), path);
  }
});

test('the variables that it names are the server’s or set-up’s', () => {
  const known = ['environment.ts', 'settings.mjs'].map((file) => {
    const folder = file.endsWith('.ts') ? 'src/contracts' : 'scripts/setup';
    return readFileSync(join(REPOSITORY, folder, file), 'utf8');
  });
  for (const [name] of README.matchAll(/GATELM_[A-Z_]+/g)) {
    const field = name
      .slice('GATELM_'.length)
      .toLowerCase()
      .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    assert.ok(known[0]!.includes(`  ${field}: z`) || known[1]!.includes(name), name);
  }
});

test('the config is valid and says what its preset says', () => {
  const [config] = blocks('jsonc');
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
    const rows = README.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const row = rows.find(([, first]) => first === `\`${name}\``);
    assert.equal(row?.[3], String(ptbTestPerplexity ?? '–'), name);
  }
});
