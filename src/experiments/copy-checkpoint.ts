import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appError } from '../errors.js';

const LATEST = join('checkpoints', 'latest.json');
const WEIGHTS = join('model', 'weights.safetensors');
const TOKENIZER = join('model', 'tokenizer.json');
/** Tries to copy a snapshot that the training may replace at any moment. */
const TRIES = 5;

/** Whether a training can go on in an experiment's folder. */
export function hasSnapshot(folder: string): boolean {
  return existsSync(join(folder, LATEST));
}

/** Whether a fork can begin with what is in an experiment's folder. */
export function hasWeights(folder: string): boolean {
  return existsSync(join(folder, TOKENIZER)) && (hasSnapshot(folder) || existsSync(join(folder, WEIGHTS)));
}

/** Whether the checkpoint at the end of an epoch was kept. */
export function hasKept(folder: string, epoch: number): boolean {
  return existsSync(join(folder, keptRecord(epoch)));
}

/** As src/checkpoints/checkpoint-folder.ts names it, which loads TensorFlow and is not for this process. */
function keptRecord(epoch: number): string {
  return join('checkpoints', `epoch-${String(epoch).padStart(6, '0')}.json`);
}

/**
 * Copies a checkpoint of an experiment with its tokenizer: that of an epoch that was kept, else the latest one, which is
 * its snapshot, or its best weights where there is none. On the disk when it returns; what is copied is checked when it is
 * opened.
 * @throws out-of-disk, write-failed
 */
export async function copyInitialModel(from: string, to: string, epoch: number | null = null): Promise<void> {
  try {
    await copyDurably(from, to, TOKENIZER);
    if (epoch !== null) await copySnapshot(from, to, keptRecord(epoch));
    else if (hasSnapshot(from)) await copySnapshot(from, to, LATEST);
    else await copyDurably(from, to, WEIGHTS);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw appError('out-of-disk', { file: to }, error);
    throw appError('write-failed', { file: to, reason: message }, error);
  }
}

/** A snapshot is two files; the one that names the other is renamed into place last, here as there. */
async function copySnapshot(from: string, to: string, record: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    await copyDurably(from, to, record, LATEST);
    const { file } = JSON.parse(await readFile(join(to, LATEST), 'utf8')) as { file: string };
    try {
      return await copyDurably(from, to, join('checkpoints', file));
    } catch (error) {
      const wasReplaced = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!wasReplaced || tries === TRIES) throw error;
    }
  }
}

async function copyDurably(from: string, to: string, file: string, as: string = file): Promise<void> {
  const target = join(to, as);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(join(from, file), target);
  const copy = await open(target, 'r+');
  await copy.sync().finally(() => copy.close());
}
