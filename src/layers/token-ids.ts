import { appError } from '../errors.js';

/**
 * Refuses ids that are too many, too few, or of no word.
 * @param count T·N
 * @param where the layer and its name
 * @throws shape-mismatch, token-id-out-of-range
 */
export function expectTokenIds(ids: Int32Array, count: number, vocabularySize: number, where: string): void {
  if (ids.length !== count) {
    throw appError('shape-mismatch', { expected: `${count} ids (T·N)`, actual: `${ids.length}`, where });
  }
  for (const id of ids) {
    if (id < 0 || id >= vocabularySize) throw appError('token-id-out-of-range', { id, size: vocabularySize });
  }
}
