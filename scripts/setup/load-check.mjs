/** Loads a native module in a process of its own: what crashes there crashes nothing here. */
import { spawn } from 'node:child_process';
import { lastLines } from './command.mjs';

const LIMIT_MS = 120_000;

/** Node 23 removed `util.isNullOrUndefined`, which tfjs-node 4.22 calls. */
export const LOAD_TFJS_NODE = `
  require('node:util').isNullOrUndefined ??= (value) => value === null || value === undefined;
  const tf = require('@tensorflow/tfjs-node');`;

/**
 * Runs a CommonJS script in the checkout.
 * @param {string} script prints what it found
 * @param {string} root
 * @returns {Promise<string>} what it printed
 * @throws Error with the reason in its first line
 */
export async function checkLoads(script, root) {
  const child = spawn(process.execPath, ['-e', script], {
    cwd: root,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let printed = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const { code, signal } = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  if (code === 0) return printed.trim();
  throw new Error(whyNot({ code, signal, errors }));
}

function whyNot({ code, signal, errors }) {
  if (signal === 'SIGILL')
    return 'it crashed (SIGILL): this processor lacks instructions that it was built for';
  if (signal) return `it crashed (${signal})`;
  const reason = /^(?:\w*Error): (.*)$/m.exec(errors)?.[1] ?? lastLines(errors, 1);
  return `it does not load: ${reason || `exit code ${code}`}`;
}
