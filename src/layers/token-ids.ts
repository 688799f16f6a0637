import { appError } from '../errors.js';

/**
 * Validates the number and the range of ids.
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
