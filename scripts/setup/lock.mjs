/** A lock between processes: a file with the number of its holder. That of a process that has died is taken over. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 200;
/** No set-up takes longer: the number belongs to another process by now, or the holder is on another machine. */
const MAX_AGE_MS = 3 * 60 * 60_000;
/** Held by this process. Another lock with its number is from a container that ended: numbers recur there. */
const held = new Set();

/**
 * Runs `body` while holding the lock, and gives its result.
 * @param {(text: string) => void} say called once if another process holds it
 */
export async function withLock(file, say, body) {
  mkdirSync(dirname(file), { recursive: true });
  for (let told = false; !acquire(file); await wait(POLL_MS)) {
    if (!told) say(`waiting for another set-up (process ${read(file)}); if there is none, remove ${file}`);
    told = true;
  }
  held.add(file);
  try {
    return await body();
  } finally {
    held.delete(file);
    rmSync(file, { force: true });
  }
}

function acquire(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  // One process at a time removes: a second one would remove the lock that the first has acquired meanwhile.
  const guard = `${file}.takeover`;
  if (!isStale(file) || !acquire(guard)) return false;
  if (isStale(file)) rmSync(file, { force: true });
  rmSync(guard, { force: true });
  return acquire(file);
}

function isStale(file) {
  const createdAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (Date.now() - createdAt > MAX_AGE_MS) return true;
  const pid = Number(read(file)); // 0 while it is being written
  if (pid === process.pid) return !held.has(file);
  return pid !== 0 && !isAlive(pid);
}

/** What the file says; nothing where it has gone, or is being written. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
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
