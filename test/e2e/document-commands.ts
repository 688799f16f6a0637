/** Runs the commands of documents that have some for a server, in order, each against a server of its own. */
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

export interface Page {
  /** Whether it speaks of a trained model, $ID. */
  readonly trained?: true;
  /** A corpus that it speaks of and does not upload. */
  readonly corpus?: string;
  /** What its output must have. */
  readonly shows: readonly RegExp[];
}

const TINY = {
  corpus: 'handbook',
  model: { embeddingSize: 16, hiddenSizes: [16] },
  training: { epochs: 1, batchSize: 50, bpttLength: 20 },
};
const NOTES = 'The server listens and the reply is sent.\n'.repeat(500);

/** A test for each page, by its name in docs/. */
export function testPages(pages: Readonly<Record<string, Page>>): void {
  for (const [name, page] of Object.entries(pages)) {
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
