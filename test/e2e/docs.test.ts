/** Runs the commands of each document that has some for a server, in order, against a server of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { codeBlocks, readDocument } from '../docs/documents.js';
import { zipArchive } from '../setup/zip-archive.js';
import { type GatelmServer, REPOSITORY, startGatelm } from '../support/gatelm-server.js';
import { ProgressClient } from '../support/progress-client.js';
import { temporaryFolder } from '../support/service.js';

interface Page {
  /** Whether it speaks of a trained model, $ID. */
  readonly trained?: true;
  /** A corpus that it speaks of and does not upload. */
  readonly corpus?: string;
  /** What its output must have. */
  readonly shows: readonly RegExp[];
}

const PAGES: Readonly<Record<string, Page>> = {
  'http.md': {
    shows: [
      /"type":"succeeded"/,
      /"text":"/,
      /"surprisal":/,
      /"name":"notes"/,
      /"choices":\[/,
      /"loss":\d/,
      /"name":"again"/,
    ],
  },
  'exact-resume.md': { shows: [/the same bytes/] },
  'tour.md': { shows: [/queued: mine/, /likelier|nats|bits/] },
  'config.md': { shows: [/"name":"better-rnnlm"/, /"preset":"auto"/, /GATELM_PORT/] },
  'setup.md': { shows: [/TensorFlow/i] },
  'text.md': { shows: [/"name":"two-files"/, /"name":"folder"/, /"name":"comments"/, /"splitBy":"files"/] },
  'inference.md': {
    trained: true,
    shows: [
      /"choices":\[/,
      /event: done/,
      /"logprob":/,
      /"share":/,
      /"items":\[\{"perplexity":/,
      /"bytes":\d+\}/,
    ],
  },
  'own-text.md': { trained: true, shows: [/"preset": ?"auto"/, /^why +\S/m] },
  'command-line.md': {
    trained: true,
    corpus: 'notes',
    shows: [/^done in .*perplexity/m, /queued: small/, /the model is in /, /^run\.zip$/m],
  },
  'interchange.md': {
    trained: true,
    shows: [/^the same weights as /m, /"state": ?"succeeded"/, /^key,step,epoch,time,value$/m],
  },
  'operations.md': {
    trained: true,
    shows: [
      /"estimate":\{"parameterCount":/,
      /^backed up .* to \.\/backup: \d+ files/m,
      /^restored .* to \.\/restored: \d+ files/m,
      /"status":"ready"/,
      /gatelm_experiments\{state="succeeded"\} \d/,
    ],
  },
  'security.md': {
    trained: true,
    shows: [/^ci +train +gatelm_/m, /"type":"queued"/, /ci is revoked/],
  },
};
const TINY = {
  corpus: 'handbook',
  model: { embeddingSize: 16, hiddenSizes: [16] },
  training: { epochs: 1, batchSize: 50, bpttLength: 20 },
};
const NOTES = 'The server listens and the reply is sent.\n'.repeat(500);

for (const [name, page] of Object.entries(PAGES)) {
  test(`the commands of docs/${name} run, in order`, async (context) => {
    const folder = writeFiles(context);
    const server = await startGatelm(context, join(folder, 'data'));
    const id = page.trained ? await train(server) : '';
    if (page.corpus) await upload(server, page.corpus);
    const commands = codeBlocks(readDocument(`docs/${name}`), 'sh').join('\n');
    const { code, output, shown } = await runShell(folder, [
      'set -euo pipefail',
      ...(id ? [`ID=${id}`] : []),
      `export GATELM_URL=${server.address}`,
      'curl() { command curl -sSf "$@"; echo; }',
      'gatelm() { node dist/src/cli/main.js "$@"; }',
      commands.replaceAll('http://127.0.0.1:8080', server.address).replace(/--budget \d+m/g, '--budget 5s'),
    ]);
    assert.equal(code, 0, output);
    for (const pattern of page.shows) assert.match(shown, pattern);
  });
}

/** A folder with the files that the documents speak of. */
function writeFiles(context: TestContext): string {
  const folder = temporaryFolder(context);
  symlinkSync(join(REPOSITORY, 'dist'), join(folder, 'dist'));
  mkdirSync(join(folder, 'data'));
  const row = { body: { text: NOTES } };
  const files = {
    ...Object.fromEntries(['notes.txt', 'a.txt', 'b.txt', 'c.txt', 'b.md'].map((file) => [file, NOTES])),
    'reviews.jsonl': `${JSON.stringify(row)}\n`.repeat(3),
    'comments.csv': `id,comment\n${'1,The server listens and the reply is sent.\n'.repeat(500)}`,
    'folder.zip': zipArchive([{ name: 'a.txt', content: Buffer.from(NOTES) }]),
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

async function train(server: GatelmServer): Promise<string> {
  const { id } = await server.train(TINY);
  await new ProgressClient(`${server.socketAddress}/experiments/${id}/progress`).closed;
  return id;
}

async function upload(server: GatelmServer, corpus: string): Promise<void> {
  const form = new FormData();
  form.set('name', corpus);
  form.set('file', new Blob([NOTES]), 'notes.txt');
  const response = await fetch(`${server.address}/corpora`, { method: 'POST', body: form });
  assert.equal(response.status, 201, await response.text());
}

async function runShell(folder: string, lines: readonly string[]) {
  const child = spawn('bash', ['-c', lines.join('\n')], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const [shown, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code as number, shown, output: shown + errors };
}
