import { createHash } from 'node:crypto';
import type { Provenance } from '../contracts/provenance.js';
import type { Corpus } from '../corpora/corpus.js';
import type { Backend } from '../kernels/backend.js';
import { packageCommit, packageVersion } from '../package-version.js';

/** What the bits of a training here depend on. */
export function provenanceOf(
  { report, versions }: Backend,
  { splits, vocabulary }: Pick<Corpus, 'splits' | 'vocabulary'>,
): Provenance {
  return {
    version: packageVersion(),
    commit: packageCommit(),
    node: process.versions.node,
    ...versions,
    cpu: report.cpu,
    corpus: digestOfIds([splits.train, splits.valid, splits.test]),
    vocabulary: createHash('sha256').update(JSON.stringify(vocabulary.tokens)).digest('hex'),
  };
}

/** Of 32-bit little-endian integers, with the length of each split before it. */
function digestOfIds(splits: readonly Int32Array[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength, length } of splits) {
    hash.update(Int32Array.of(length));
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}
