#!/usr/bin/env node
/**
 * The checks of `npm test`, after set-up: Biome, the type check where set-up did not make it, and all tests.
 *
 *   npm test                      everything
 *   npm test -- store lstm        the tests whose path contains one of these words
 *   npm test -- --test-only       options go to Node's test runner
 *
 * Node's summary comes last; the exit code is not 0 if any of them failed.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow } from './setup/files.mjs';

/** A test that waits for what never comes must not hold up the others for ever. */
const TEST_LIMIT_MS = 10 * 60_000;
const MAX_FILES_AT_ONCE = 4;

const root = fileURLToPath(new URL('..', import.meta.url));
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));

const files = filesBelow(join(root, 'dist', 'test'), (path) => path.endsWith('.test.js'))
  .map((path) => relative(root, path))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(
    words.length > 0 ? `no test file has ${words.join(' or ')} in its path` : 'dist/test has no test',
  );
  process.exit(1);
}

const results = [];
if (words.length === 0) results.push(check('biome', [join('@biomejs', 'biome', 'bin', 'biome'), 'check']));
results.push(runTests());
process.exitCode = Math.max(...results);

/** Runs a tool of node_modules; its output is shown as it comes. @returns its exit code */
function check(name, [script, ...args]) {
  console.log(`${name} …`);
  return run([join(root, 'node_modules', script), ...args]);
}

function runTests() {
  const atOnce = Math.min(MAX_FILES_AT_ONCE, availableParallelism());
  return run([
    '--test',
    '--test-reporter=spec',
    ...onlyKnown(`--test-concurrency=${atOnce}`, `--test-timeout=${TEST_LIMIT_MS}`),
    ...options,
    ...files,
  ]);
}

/** Node 20.0 to 20.10 lack some of the runner's options. */
function onlyKnown(...flags) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 20 || minor >= 11 ? flags : [];
}

function run(args) {
  const { status, signal, error } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { TF_CPP_MIN_LOG_LEVEL: '2', ...process.env }, // TensorFlow prints a banner otherwise
    stdio: 'inherit',
  });
  if (error) throw error;
  if (signal) console.error(`ended by ${signal}`);
  return status ?? 1;
}
