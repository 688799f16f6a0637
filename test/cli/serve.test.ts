import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT_VARIABLES } from '../../src/contracts/environment.js';
import { startGatelm } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Runs the command to its end. */
function gatelm(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

test('--help names every variable of the environment with its default', () => {
  const { code, stdout } = gatelm(['serve', '--help']);
  assert.equal(code, 0);
  for (const { name } of ENVIRONMENT_VARIABLES)
    assert.match(stdout, new RegExp(`^ +${name} \\(default: .+\\)$`, 'm'));
  assert.match(stdout, /GATELM_PORT \(default: 8080\)/);
});

test('a misspelt variable ends the start with the nearest name', () => {
  const { code, stderr } = gatelm(['serve'], { GATELM_PORTT: '1' });
  assert.equal(code, 1);
  assert.match(stderr, /^gatelm: .*GATELM_PORTT.*did you mean GATELM_PORT\?/s);
});

test('a port that is taken, and a data folder that is taken, end the start with a clear word', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, folder);
  const { port } = new URL(server.address);
  const other = gatelm(['serve', '--port', port, '--data-dir', temporaryFolder(context)]);
  assert.equal(other.code, 1);
  assert.match(other.stderr, new RegExp(`^gatelm: Port ${port} of 127.0.0.1 is in use;.*GATELM_PORT=`, 'm'));
  const same = gatelm(['serve', '--port', '0', '--data-dir', folder]);
  assert.equal(same.code, 1);
  assert.match(same.stderr, new RegExp(`^gatelm: .*${folder}`, 'm'));
  assert.equal(await server.stop(), 0);
});

test('a bind to all addresses without keys is refused', (context) => {
  const folder = temporaryFolder(context);
  const { code, stderr } = gatelm(['serve', '--host', '0.0.0.0', '--port', '0', '--data-dir', folder]);
  assert.equal(code, 1);
  assert.match(stderr, /^gatelm: Binding to 0\.0\.0\.0 needs API keys/m);
});

test('a backend that cannot be had ends the start, and says why', (context) => {
  const { code, stderr } = gatelm(['serve', '--port', '0', '--data-dir', temporaryFolder(context)], {
    GATELM_BACKEND: 'wasm',
    GATELM_KERNELS: 'fused',
  });
  assert.equal(code, 1);
  assert.match(stderr, /^gatelm: The backend "native, fused kernels" cannot be loaded/m);
});

test('one line says what runs where, on the fall-back too', async (context) => {
  const folder = temporaryFolder(context);
  const server = await startGatelm(context, folder, { GATELM_BACKEND: 'wasm' });
  assert.equal(server.lines.length, 1);
  assert.match(
    server.lines[0]!,
    new RegExp(
      `^gatelm \\d+\\.\\d+\\.\\d+ listens on http://127\\.0\\.0\\.1:\\d+ · data in ${folder} · WebAssembly`,
    ),
  );
});

test('a second signal ends it at once', async (context) => {
  const server = await startGatelm(context, temporaryFolder(context));
  const exit = once(server.process, 'exit');
  server.process.kill('SIGTERM');
  server.process.kill('SIGINT');
  assert.deepEqual(await exit, [1, null]);
});
