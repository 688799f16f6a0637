/** Runs the commands of README.md. What all documents have in common is held by test/docs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
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
    .replace(/--budget \d+m/g, '--budget 5s')
    .replace(/^npm .*$/gm, ''); // of these the next test looks at the names
  const script = `set -euo pipefail\nexport GATELM_URL=${server.address}\ncurl() { command curl -sSf "$@"; echo; }\n${commands}`;
  const child = spawn('bash', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /"type":"succeeded"/);
  assert.match(stdout, /"text":"/);
  assert.match(stdout, /succeeded: mine|mine/);
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

test('it is short enough for a newcomer', () => {
  assert.ok(README.split('\n').length <= 120, 'more than 120 lines');
});
