/** A lock between processes: a file that names its holder. The lock of a process that has died is taken over. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 200;
const HEARTBEAT_MS = 5000;
/** A holder on another machine, or one whose process number belongs to another by now, is judged by its heartbeat. */
const MAX_SILENCE_MS = 60_000;

/**
 * Runs `body` while holding the lock.
 * @template Result
 * @param {string} file
 * @param {(holder: string) => void} onWait called once if another process holds it, with words for which one
 * @param {() => Promise<Result>} body
 * @returns {Promise<Result>}
 */
export async function withLock(file, onWait, body) {
  const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString(), token: randomUUID() };
  const mine = JSON.stringify(holder);
  mkdirSync(dirname(file), { recursive: true });
  await acquire(file, mine, onWait);
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS).unref();
  function release() {
    clearInterval(heartbeat);
    if (read(file)?.text === mine) rmSync(file, { force: true });
  }
  process.once('exit', release);
  try {
    return await body();
  } finally {
    release();
    process.off('exit', release);
  }
}

async function acquire(file, mine, onWait) {
  for (let waiting = false; !create(file, mine); ) {
    const held = read(file);
    if (!held || (isStale(held) && removeStale(file))) continue;
    if (!waiting && !isStale(held)) {
      onWait(describe(held.holder));
      waiting = true;
    }
    await wait(POLL_MS);
  }
}

function create(file, content) {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** One process at a time removes: a second one would remove the lock that the first has acquired meanwhile. */
function removeStale(file) {
  const guard = `${file}.takeover`;
  if (!create(guard, '')) {
    if (read(guard)?.silentMs > MAX_SILENCE_MS) rmSync(guard, { force: true });
    return false;
  }
  try {
    const held = read(file);
    if (held && isStale(held)) rmSync(file, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function read(file) {
  try {
    const text = readFileSync(file, 'utf8');
    // Its text is no JSON while it is being written.
    const holder = text.endsWith('}') ? JSON.parse(text) : undefined;
    return { text, holder, silentMs: Date.now() - statSync(file).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isStale({ holder, silentMs }) {
  return silentMs > MAX_SILENCE_MS || (holder?.host === hostname() && !isAlive(holder.pid));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    // A zombie has ended: in a container the first process may never wait for it.
    return process.platform !== 'linux' || !/\) Z \d/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return error.code === 'EPERM'; // another user's process
  }
}

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function describe(holder) {
  if (!holder) return 'another set-up';
  const where = holder.host === hostname() ? '' : ` on ${holder.host}`;
  return `another set-up (process ${holder.pid}${where}, since ${holder.since})`;
}
