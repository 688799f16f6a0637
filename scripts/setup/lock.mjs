/** A lock between processes: a file that names its holder. The lock of a process that has died is taken over. */
import { mkdirSync, readFileSync, rmSync, statSync, utimes, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 200;
const HEARTBEAT_MS = 5000;
/** A holder on another machine, or one whose process number belongs to another by now, is judged by its heartbeat. */
const MAX_SILENCE_MS = 60_000;

/**
 * Runs `body` while holding the lock, and gives its result.
 * @param {(holder: string) => void} onWait called once if another process holds it, with words for which one
 */
export async function withLock(file, onWait, body) {
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() });
  mkdirSync(dirname(file), { recursive: true });
  for (let waiting = false; !create(file, mine); ) {
    const held = read(file);
    if (!held || (held.isStale && removeStale(file))) continue;
    if (!waiting && !held.isStale) onWait(describe(held.holder));
    waiting ||= !held.isStale;
    await wait(POLL_MS);
  }
  const touch = () => utimes(file, new Date(), new Date(), () => {}); // fails where another has taken it over
  const heartbeat = setInterval(touch, HEARTBEAT_MS);
  try {
    return await body();
  } finally {
    clearInterval(heartbeat);
    if (read(file)?.text === mine) rmSync(file, { force: true });
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
    if (read(guard)?.isStale) rmSync(guard, { force: true });
    return false;
  }
  if (read(file)?.isStale) rmSync(file, { force: true });
  rmSync(guard, { force: true });
  return true;
}

function read(file) {
  try {
    const text = readFileSync(file, 'utf8');
    // Its text is no JSON while it is being written.
    const holder = text.endsWith('}') ? JSON.parse(text) : undefined;
    const isSilent = Date.now() - statSync(file).mtimeMs > MAX_SILENCE_MS;
    return { text, holder, isStale: isSilent || (holder?.host === hostname() && !isAlive(holder.pid)) };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
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

function describe(holder) {
  if (!holder) return 'another set-up';
  return `another set-up (process ${holder.pid}, since ${holder.since}, on ${holder.host})`;
}
