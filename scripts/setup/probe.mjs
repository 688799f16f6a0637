/** Loads native modules, each in a process of its own: a crash there does not end set-up. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { lastLines } from './output.mjs';

const LIMIT_MS = 120_000;
const run = promisify(execFile);

/** Node 23 removed `util.isNullOrUndefined`, which tfjs-node 4.22 calls. */
const LOAD_TFJS_NODE = `
  require('node:util').isNullOrUndefined ??= (value) => value === null || value === undefined;
  const tf = require('@tensorflow/tfjs-node');`;

/** @returns {Promise<string>} SQLite and its version */
export function probeSqlite({ root }) {
  const select = "prepare('select sqlite_version() as version').get().version";
  return probe(root, `print('SQLite ' + new (require('better-sqlite3'))(':memory:').${select});`);
}

/** Loads tfjs-node and adds two numbers. @returns {Promise<string>} TensorFlow and its version */
export function probeTensorflow({ root }) {
  return probe(
    root,
    `${LOAD_TFJS_NODE}
    if (tf.tensor1d([1, 2]).sum().dataSync()[0] !== 3) throw new Error('1 + 2 is not 3');
    print('TensorFlow ' + tf.backend().binding.TF_Version);`,
  );
}

/** Loads gatelm's kernels after tfjs-node. @returns the instructions that they use, and the best that they know here */
export async function probeKernels({ root }, file) {
  const load = `${LOAD_TFJS_NODE} const { cpu, best } = require(${JSON.stringify(file)});`;
  return JSON.parse(await probe(root, `${load} print(JSON.stringify({ used: cpu, best }));`));
}

/** Runs a CommonJS script. @returns {Promise<string>} what it printed @throws Error with the reason in one line */
async function probe(cwd, script) {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: '' };
  const options = { cwd, env, timeout: LIMIT_MS, killSignal: 'SIGKILL' };
  const args = ['-e', `const print = (text) => process.stdout.write(text); ${script}`];
  try {
    return (await run(process.execPath, args, options)).stdout.trim();
  } catch ({ signal, stderr = '' }) {
    const lacks = signal === 'SIGILL' ? ': this processor lacks instructions that it was built for' : '';
    if (signal) throw new Error(`it crashed (${signal})${lacks}`);
    const reason = /^(?:\w*Error): (.*)$/m.exec(stderr)?.[1] ?? lastLines(stderr, 1);
    throw new Error(`it does not load: ${reason}`);
  }
}
