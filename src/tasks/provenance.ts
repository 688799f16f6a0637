import { createHash } from 'node:crypto';
import type { Provenance } from '../contracts/provenance.js';
import type { Corpus } from '../corpora/corpus.js';
import type { Backend } from '../kernels/backend.js';
import { packageCommit, packageVersion } from '../package-version.js';

/** What the bits of a training here depend on. */
export function provenanceOf(
  { report, tensorflow }: Backend,
  { digest, vocabulary }: Pick<Corpus, 'digest' | 'vocabulary'>,
): Provenance {
  return {
    version: packageVersion(),
    commit: packageCommit(),
    node: process.versions.node,
    tensorflow,
    cpu: report.cpu,
    instructions: report.instructions,
    corpus: digest,
    vocabulary: createHash('sha256').update(JSON.stringify(vocabulary.tokens)).digest('hex'),
  };
}
