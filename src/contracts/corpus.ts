import { z } from 'zod';
import { writtenName } from './written-text.js';

/** Corpora that are available without an upload. */
export const KnownCorpusName = z.enum(['handbook', 'ptb', 'wikitext-2', 'tiny-shakespeare']);
export type KnownCorpusName = z.infer<typeof KnownCorpusName>;

const MAX_NAME_LENGTH = 100;

/** Names are normalized to NFC, so that names that look the same are the same. */
const corpusName = writtenName
  .max(MAX_NAME_LENGTH)
  .regex(
    /^[\p{L}\p{N}\p{So}][^\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}/\\:*?"<>|]*$/u,
    'must begin with a letter, a digit or a symbol, and have no control character and none of / \\ : * ? " < > |',
  )
  .regex(/[^.]$/, 'must not end with a dot');

export const CorpusName = corpusName.describe(
  'Corpus to train on: handbook, ptb, wikitext-2, tiny-shakespeare, or the id or name of an uploaded corpus',
);
export type CorpusName = z.infer<typeof CorpusName>;

const vocabularySize = z
  .int()
  .min(2)
  .max(1_000_000)
  .nullable()
  .default(null)
  .describe(
    'Maximum size of the vocabulary, including <unk> and the line end; the most frequent tokens of the train split are kept; null = no limit',
  );
const minCount = z.int().min(1).max(1_000_000_000);
const lowercase = z.boolean().default(false).describe('Convert the text to lower case');

export const PreTokenizer = z
  .enum(['whitespace', 'prose', 'lossless'])
  .describe('How text is split into words');
export type PreTokenizer = z.infer<typeof PreTokenizer>;

/** How text becomes tokens. The vocabulary is always built from the train split alone. */
export const TokenizerConfig = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('word'),
      vocabularySize,
      minCount: minCount
        .nullable()
        .default(null)
        .describe(
          'Words that occur fewer times in the train split become <unk>, or are spelled in bytes by lossless; null = 1 where the text is tokenized already and has <unk> for its rare words (PTB, WikiText-2), else 2, so that the model learns <unk> or the spelling at all',
        ),
      lowercase,
      preTokenizer: z
        .enum(['auto', ...PreTokenizer.options])
        .default('auto')
        .describe(
          'whitespace: words are separated by white space (PTB, WikiText-2); prose: punctuation is split off, spacing is not kept; lossless: words include the space before them, other white space is tokens of its own, rare words are spelled in bytes, so that decoding gives exactly the text; auto: the one that suits the corpus, lossless for uploaded text',
        ),
    }),
    z.strictObject({
      type: z.literal('character'),
      vocabularySize,
      minCount: minCount
        .default(1)
        .describe('Characters that occur fewer times in the train split become <unk>'),
      lowercase,
    }),
    z.strictObject({
      type: z.literal('byte-pair'),
      vocabularySize: z
        .int()
        .min(256)
        .max(65_536)
        .default(4096)
        .describe('Vocabulary size: the 256 bytes and the merges learned from the train split'),
      minCount: minCount
        .default(2)
        .describe('Pairs that occur fewer times in the train split are not merged'),
      lowercase,
    }),
  ])
  .describe('Tokenizer');
export type TokenizerConfig = z.infer<typeof TokenizerConfig>;

export const SplitName = z
  .enum(['train', 'valid', 'test'])
  .describe('Part of a corpus: train to learn from, valid to tune on, test to report');
export type SplitName = z.infer<typeof SplitName>;

const count = z.int().min(0);

/** Statistics of one split under a tokenizer. */
export const CorpusStatistics = z.object({
  tokens: count,
  types: count.describe('Distinct tokens'),
  unknownRate: z.number().min(0).max(1).describe('Fraction of the tokens that are <unk>'),
  longestLine: count.describe('Tokens of the longest line, including the line end'),
  bytes: count.describe('Length of the text in bytes of UTF-8'),
});
export type CorpusStatistics = z.infer<typeof CorpusStatistics>;

export const SplitStatistics = z.object({
  train: CorpusStatistics,
  valid: CorpusStatistics,
  test: CorpusStatistics,
});
export type SplitStatistics = z.infer<typeof SplitStatistics>;

const perSplit = <Value extends z.ZodType>(value: Value) =>
  z.object({ train: value, valid: value, test: value });
const share = z.number().min(0).max(1);

/** Facts gathered when a text was uploaded; null for other corpora, and for uploads made before a fact was recorded. */
const uploadFacts = {
  documents: count.nullable().describe('Documents of the text: files, rows or lines'),
  characters: perSplit(count).nullable().describe('Unicode characters of each split'),
  duplicates: z
    .object({ valid: share, test: share })
    .nullable()
    .describe(
      'Fraction of valid, and of test, in lines of 40 bytes or more that also occur in train: a model that has memorized them looks better than it is',
    ),
  skippedFiles: z
    .array(z.string())
    .max(100)
    .describe('Files of an archive that are not text and were skipped'),
};

/** A corpus as HTTP shows it. */
export const CorpusInfo = z
  .object({
    id: z.string().describe('The name of a known corpus, or the id of an uploaded one'),
    name: z.string(),
    kind: z
      .enum(['embedded', 'known', 'uploaded'])
      .describe(
        'embedded: part of gatelm; known: downloaded when first used; uploaded: added through the API',
      ),
    description: z.string(),
    source: z.string().describe('Where the text comes from'),
    available: z.boolean().describe('Whether the text is on this machine (data folder or mirror folder)'),
    defaultPreTokenizer: PreTokenizer.describe('What the preTokenizer "auto" means for this corpus'),
    bytes: count.nullable().describe('Length of all splits in bytes of UTF-8'),
    tokens: count
      .nullable()
      .describe('Tokens of all splits with the default word tokenizer; null = not counted yet'),
    types: count
      .nullable()
      .describe('Vocabulary size with the default word tokenizer; null = not counted yet'),
    statistics: SplitStatistics.nullable().describe(
      'With the default word tokenizer; null = not counted yet',
    ),
    digest: z.string().nullable().describe('SHA-256 of the SHA-256 digests of the splits, hexadecimal'),
    createdAt: z.string().nullable().describe('ISO 8601, UTC; null for a corpus that was not uploaded'),
    splitBy: z
      .enum(['blocks', 'tail', 'files'])
      .nullable()
      .describe('How an upload was split: blocks spread over the text, its tail, or separate files'),
    ...uploadFacts,
  })
  .meta({
    id: 'Corpus',
    examples: [
      {
        id: 'ptb',
        name: 'ptb',
        kind: 'known',
        description: 'Penn Treebank as prepared by Mikolov: news text, 10,000 words',
        source: 'a copy of the simple-examples archive',
        available: true,
        defaultPreTokenizer: 'whitespace',
        bytes: 5_951_345,
        tokens: 1_085_779,
        types: 10_000,
        statistics: {
          train: { tokens: 929_589, types: 10_000, unknownRate: 0.0484, longestLine: 83, bytes: 5_101_618 },
          valid: { tokens: 73_760, types: 6022, unknownRate: 0.0472, longestLine: 75, bytes: 399_782 },
          test: { tokens: 82_430, types: 6049, unknownRate: 0.0582, longestLine: 78, bytes: 449_945 },
        },
        digest: 'ee2cbfcf86ce77cdfc70a7388663cdff9cf72c682837237498e86d79d5f0e381',
        createdAt: null,
        splitBy: null,
        documents: null,
        characters: null,
        duplicates: null,
        skippedFiles: [],
      },
    ],
  });
export type CorpusInfo = z.infer<typeof CorpusInfo>;

export const CorpusPreview = z
  .object({
    id: z.string(),
    split: SplitName,
    text: z.string().describe('The first characters of the split'),
    truncated: z.boolean(),
  })
  .meta({
    id: 'CorpusPreview',
    examples: [{ id: 'ptb', split: 'train', text: ' the company said', truncated: true }],
  });
export type CorpusPreview = z.infer<typeof CorpusPreview>;

/** Statistics of a corpus under a tokenizer. */
export const TokenFigures = z
  .object({
    tokens: perSplit(count).describe('Tokens of each split; estimates if only the beginning was read'),
    isExact: z.boolean().describe('Whether the whole train split was read instead of its beginning'),
    vocabularySize: count.describe('Vocabulary size for the text that was read; more text has more words'),
    unknownRate: share.describe(
      'Fraction of the tokens of valid that are unknown words; <unk> in the text itself does not count',
    ),
  })
  .meta({
    id: 'TokenFigures',
    examples: [
      {
        tokens: { train: 929_589, valid: 73_760, test: 82_430 },
        isExact: true,
        vocabularySize: 10_000,
        unknownRate: 0,
      },
    ],
  });
export type TokenFigures = z.infer<typeof TokenFigures>;

const fraction = z.number().gt(0).lt(1);

/** The fields beside the text of an upload. */
export const CorpusUpload = z.strictObject({
  name: CorpusName.describe('Unique name of the corpus'),
  validFraction: fraction
    .default(0.05)
    .describe('Fraction of the text that becomes valid, for text that is not split already'),
  testFraction: fraction
    .default(0.05)
    .describe('Fraction of the text that becomes test, for text that is not split already'),
  splitBy: z
    .enum(['blocks', 'tail'])
    .default('blocks')
    .describe(
      'blocks: valid and test are blocks spread over the text, so that all splits are similar, and keep their places when the text grows; documents (files, rows) are kept whole where the fractions allow it. tail: valid and test are the end of the text, for text that is ordered in time',
    ),
  splitSeed: z
    .int()
    .min(0)
    .max(4_294_967_295)
    .default(1)
    .describe('Seed that selects the blocks that become valid and test'),
  tokenized: z
    .boolean()
    .default(false)
    .describe(
      'Whether the text is tokenized already, as PTB is: words are separated by white space, and <unk> stands for rare words',
    ),
  textField: z
    .string()
    .min(1)
    .max(200)
    .default('text')
    .describe('Field of each line of a .jsonl file that holds its text; a.b is the field b of a'),
  textColumn: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      'Column of a .csv or .tsv file that holds the text, by its name in the first line; without it the file is read as plain text',
    ),
});
export type CorpusUpload = z.infer<typeof CorpusUpload>;
/** An upload before the defaults are filled in. */
export type CorpusUploadInput = z.input<typeof CorpusUpload>;

const storedFiles = z.strictObject({
  train: z.strictObject({ bytes: count, sha256: z.string().length(64) }),
  valid: z.strictObject({ bytes: count, sha256: z.string().length(64) }),
  test: z.strictObject({ bytes: count, sha256: z.string().length(64) }),
});

const manifestFields = {
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  name: corpusName,
  createdAt: z.string(),
  files: storedFiles,
  statistics: SplitStatistics,
  types: count,
  digest: z.string().length(64),
};

const ManifestV2 = z.strictObject({
  version: z.literal(2),
  ...manifestFields,
  splitBy: z.enum(['blocks', 'tail', 'files']),
  defaultPreTokenizer: PreTokenizer,
  ...uploadFacts,
});

/** As gatelm 0.1 wrote it: split by tail, with the tokenizer `prose`. */
const ManifestV1 = z
  .strictObject({ version: z.literal(1), ...manifestFields, splitBy: z.enum(['fractions', 'files']) })
  .transform(
    ({ splitBy, ...manifest }): z.infer<typeof ManifestV2> => ({
      ...manifest,
      version: 2,
      splitBy: splitBy === 'fractions' ? 'tail' : 'files',
      defaultPreTokenizer: 'prose',
      documents: null,
      characters: null,
      duplicates: null,
      skippedFiles: [],
    }),
  );

/** corpus.json of an uploaded corpus. */
export const StoredCorpusManifest = z.union([ManifestV2, ManifestV1]);
export type StoredCorpusManifest = z.infer<typeof ManifestV2>;
