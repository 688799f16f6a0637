/**
 * A lock held by one process at a time, across processes: a file that names its holder. Who finds the lock of a process
 * that has died takes it over; who finds that of a living one waits.
 */
import { randomUUID } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 200;
const BEAT_MS = 5000;
/** A holder that lives but has not said so for this long is another process that got its number. */
const SILENT_MS = 10 * 60_000;
/** A holder on another machine can only be judged by its beat. */
const FOREIGN_SILENT_MS = 60_000;

/**
 * Runs `body` while holding the lock.
 * @template Result
 * @param {string} file
 * @param {(holder: string) => void} onWait called once if somebody else holds it, with words for who
 * @param {() => Promise<Result>} body
 * @returns {Promise<Result>}
 */
export async function withLock(file, onWait, body) {
  const mine = await acquire(file, onWait);
  const beat = setInterval(() => touch(file), BEAT_MS).unref();
  function release() {
    clearInterval(beat);
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

async function acquire(file, onWait) {
  mkdirSync(dirname(file), { recursive: true });
  const since = new Date().toISOString();
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), since, token: randomUUID() });
  let waiting = false;
  for (;;) {
    if (create(file, mine)) return mine;
    const held = read(file);
    if (!held) continue; // released meanwhile
    if (isStale(held)) {
      takeAway(file, held.text);
      continue;
    }
    if (!waiting) onWait(describe(held));
    waiting = true;
    await wait(POLL_MS);
  }
}

/** Writes beside and links: the lock appears with its content, or not at all. */
function create(file, content) {
  const beside = `${file}.${process.pid}.${randomUUID().slice(0, 8)}`;
  writeFileSync(beside, content);
  try {
    linkSync(beside, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    if (error.code !== 'EPERM' && error.code !== 'ENOSYS' && error.code !== 'ENOTSUP') throw error;
    return createExclusively(file, content); // a file system without hard links
  } finally {
    rmSync(beside, { force: true });
  }
}

function createExclusively(file, content) {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(file) {
  try {
    const text = readFileSync(file, 'utf8');
    return { text, holder: parse(text), silentMs: Date.now() - statSync(file).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text) {
  try {
    const holder = JSON.parse(text);
    return Number.isInteger(holder?.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isStale({ holder, silentMs }) {
  if (!holder || holder.host !== hostname()) return silentMs > FOREIGN_SILENT_MS;
  return !isAlive(holder.pid) || silentMs > SILENT_MS;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM'; // there, but another user's
  }
  return !isZombie(pid);
}

/** Ended, but not yet waited for, as long as in a container whose first process waits for nobody. */
function isZombie(pid) {
  if (process.platform !== 'linux') return false;
  try {
    return /\) Z \d/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return error.code === 'ENOENT';
  }
}

/** Takes a stale lock away; a lock that somebody else has put in its place meanwhile is put back. */
function takeAway(file, staleText) {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') !== staleText) create(file, readFileSync(aside, 'utf8'));
  rmSync(aside, { force: true });
}

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function describe({ holder }) {
  if (!holder) return 'another set-up';
  const where = holder.host === hostname() ? '' : ` on ${holder.host}`;
  return `another set-up (process ${holder.pid}${where}, since ${holder.since})`;
}
