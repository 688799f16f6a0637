/**
 * The partial file of a download: `<destination>.part` while it is idle, `<destination>.<owner>.part` while a process or thread
 * writes it. It is claimed by a rename, so two threads or processes never write to the same file; the file of a dead
 * process can be claimed too.
 */
import { readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { isProcessAlive } from '../files/process-alive.js';

let claims = 0;

/** Takes over what an earlier download left, if there is something. @returns the path to write to */
export async function claimPart(destination: string): Promise<string> {
  const own = `${destination}.${process.pid}-${threadId}-${claims++}.part`;
  for (const left of await findLeftParts(destination)) {
    try {
      await rename(left, own);
      break;
    } catch {
      // Claimed by another process; try the next one, or start a new file.
    }
  }
  return own;
}

/** Leaves what has arrived to the next one who tries; nothing to do when the file has its final name. */
export async function releasePart(part: string, destination: string): Promise<void> {
  await rename(part, `${destination}.part`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function findLeftParts(destination: string): Promise<string[]> {
  const folder = dirname(destination);
  const prefix = `${basename(destination)}.`;
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name.endsWith('.part'));
  return names.filter((name) => isLeft(name.slice(prefix.length))).map((name) => join(folder, name));
}

function isLeft(suffix: string): boolean {
  if (suffix === 'part') return true;
  const pid = Number(/^(\d+)-\d+-\d+\.part$/.exec(suffix)?.[1]);
  return Number.isInteger(pid) && !isProcessAlive(pid);
}
