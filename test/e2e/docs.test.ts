/** Runs the commands of the documents that have some for a server, in order. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { ENVIRONMENT_VARIABLES } from '../../src/contracts/environment.js';
import { REPOSITORY, startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { temporaryFolder } from '../support/service.js';

/** security.md last: its keys close the server to those without one. */
const DOCUMENTS = ['inference.md', 'own-text.md', 'command-line.md', 'operations.md', 'security.md'];
const read = (name: string) => readFileSync(join(REPOSITORY, 'docs', name), 'utf8');
const TINY = {
  corpus: 'handbook',
  model: { embeddingSize: 16, hiddenSizes: [16] },
  training: { epochs: 1, batchSize: 50, bpttLength: 20 },
};

test('the commands of the documents run, in order, against a server', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, join(folder, 'data'));
  symlinkSync(join(REPOSITORY, 'dist'), join(folder, 'dist'));
  writeFileSync(join(folder, 'notes.txt'), 'The server listens and the reply is sent.\n'.repeat(500));
  const { id } = await server.train(TINY);
  await new ProgressClient(`${server.socketAddress}/experiments/${id}/progress`).closed;
  const commands = DOCUMENTS.flatMap((name) =>
    [...read(name).matchAll(/^```sh\n(.*?)^```/gms)].map(([, body]) => body!),
  )
    .join('\n')
    .replaceAll('http://127.0.0.1:8080', server.address);
  const script = `set -euo pipefail\nID=${id}\ncurl() { command curl -sSf "$@"; echo; }\ngatelm() { node dist/src/cli/main.js "$@"; }\nexport GATELM_URL=${server.address}\n${commands}`;
  const child = spawn('bash', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  assert.equal(code, 0, stdout + stderr);
  for (const shown of [
    /"choices":\[/,
    /event: done/,
    /"logprob":/,
    /"items":\[\{"perplexity":/,
    /"bytes":\d+\}/,
    /"share":/,
    /"estimate":\{"parameterCount":/,
    /is in \.\/backup: \d+ files/,
    /is in \.\/restored: \d+ files/,
    /"status":"ready"/,
    /gatelm_experiments\{state="succeeded"\} \d/,
    /^ci +train +gatelm_/m,
    /"type":"queued"/,
    /ci is revoked/,
  ])
    assert.match(stdout, shown);
});

test('the files that the documents link to exist, and so do the variables that they name', () => {
  const known = new Set(ENVIRONMENT_VARIABLES.map(({ name }) => name));
  for (const name of DOCUMENTS) {
    const file = join(REPOSITORY, 'docs', name);
    for (const [, path] of read(name).matchAll(/\]\((?!http)([^)#]+)/g))
      assert.ok(existsSync(join(dirname(file), path!.replace(/^docs\//, ''))), `${name}: ${path}`);
    for (const [variable] of read(name).matchAll(/GATELM_[A-Z_]+[A-Z]/g))
      assert.ok(
        known.has(variable) || ['GATELM_BENCH_PYTHON', 'GATELM_URL', 'GATELM_API_KEY'].includes(variable),
        `${name}: ${variable}`,
      );
  }
});
