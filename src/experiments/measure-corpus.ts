import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { type ThreadAnswer, type ThreadData, unwrap } from '../compute/thread-entry.js';
import type { CorpusInfo, SplitName, TokenFigures, TokenizerConfig } from '../contracts/corpus.js';
import type { PerSplit } from '../corpora/corpus.js';
import type { SplitSample } from '../corpora/token-figures.js';
import type { Corpora } from './corpora.js';
import type { MeasureTask } from './measure-thread.js';

/** UTF-16 units of train that are read to measure a tokenizer; learning byte pairs takes longer. */
const SAMPLE_LENGTHS: Readonly<Record<TokenizerConfig['type'], number>> = {
  word: 500_000,
  character: 500_000,
  'byte-pair': 100_000,
};

/** Learning a vocabulary takes up to seconds, in which the server answers others: a thread of its own does it, which ends when idle. */
const workerData: ThreadData = {
  workerUrl: new URL('./measure-thread.js', import.meta.url).href,
  options: null,
};
const thread = new Piscina<MeasureTask, ThreadAnswer>({
  filename: fileURLToPath(new URL('../compute/thread-entry.js', import.meta.url)),
  workerData,
  minThreads: 0,
  maxThreads: 1,
  idleTimeout: 30_000,
  recordTiming: false,
});

/** Recently measured figures. */
const measured = new Map<string, TokenFigures>();
const MAX_MEASURED = 200;

/**
 * Statistics of a corpus under a tokenizer, estimated from the beginning of its splits.
 * @throws corpus-unavailable; config-conflict for a vocabulary that is too small
 */
export async function measureCorpus(
  corpora: Pick<Corpora, 'preview'>,
  info: CorpusInfo,
  tokenizer: TokenizerConfig,
): Promise<TokenFigures> {
  const key = JSON.stringify([info.digest, info.defaultPreTokenizer, tokenizer]);
  const known = measured.get(key);
  if (known && info.digest !== null) return known;
  const length = SAMPLE_LENGTHS[tokenizer.type];
  const sample = async (split: SplitName): Promise<SplitSample> => {
    const { text, truncated } = await corpora.preview(info.id, split, length);
    const bytes = info.statistics?.[split].bytes;
    return { text, share: truncated && bytes ? Buffer.byteLength(text) / bytes : 1 };
  };
  const samples: PerSplit<SplitSample> = {
    train: await sample('train'),
    valid: await sample('valid'),
    test: await sample('test'),
  };
  const { defaultPreTokenizer } = info;
  const figures = unwrap(await thread.run({ samples, tokenizer, defaultPreTokenizer })) as TokenFigures;
  measured.set(key, figures);
  const [oldest] = measured.keys();
  if (measured.size > MAX_MEASURED && oldest !== undefined) measured.delete(oldest);
  return figures;
}
