import { openAsBlob, readFileSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { GatelmError } from '../../client/client.js';

const BLOCK = 512;

/** A file for an upload, read while it is sent. @throws GatelmError if it cannot be read */
export async function openFile(file: string): Promise<Blob> {
  try {
    await access(file, constants.R_OK);
    return await openAsBlob(file);
  } catch (error) {
    throw new GatelmError(400, { detail: `${file} cannot be read: ${(error as Error).message}` });
  }
}

/** A file, or standard input for `-`. @throws GatelmError if it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new GatelmError(400, { detail: `${file} cannot be read: ${(error as Error).message}` });
  }
}

/** The files in a tar archive as `gatelm export` writes it: each a header of 512 bytes, then its content in blocks of 512. */
export async function filesOfTar(file: string): Promise<Map<string, Blob>> {
  const archive = await openFile(file);
  const files = new Map<string, Blob>();
  for (let start = 0; start + BLOCK <= archive.size; ) {
    const header = Buffer.from(await archive.slice(start, start + BLOCK).arrayBuffer()).toString('latin1');
    const name = header.slice(0, 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(header.slice(124, 136), 8);
    if (name === '') break; // the end of the archive
    if (!header.startsWith('ustar', 257) || !Number.isSafeInteger(size))
      throw new GatelmError(400, { detail: `${file} is not a tar archive of gatelm export` });
    files.set(name, archive.slice(start + BLOCK, start + BLOCK + size));
    start += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
  return files;
}
