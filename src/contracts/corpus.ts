import { z } from 'zod';

/** Corpora that gatelm knows without an upload. */
export const KnownCorpusName = z.enum(['handbook', 'ptb', 'wikitext-2', 'tiny-shakespeare']);
export type KnownCorpusName = z.infer<typeof KnownCorpusName>;

const MAX_NAME_LENGTH = 100;

/** One way to write each name, as NFC: what looks the same is the same. */
const corpusName = z
  .string()
  .trim()
  .normalize('NFC')
  .min(1)
  .max(MAX_NAME_LENGTH)
  .regex(
    /^[\p{L}\p{N}\p{So}][^\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}/\\:*?"<>|]*$/u,
    'must begin with a letter, a digit or a symbol, and have no control character and none of / \\ : * ? " < > |',
  )
  .regex(/[^.]$/, 'must not end with a dot');

export const CorpusName = corpusName.describe(
  'Text to learn from: handbook, ptb, wikitext-2, tiny-shakespeare, or the id or name of an uploaded corpus',
);
export type CorpusName = z.infer<typeof CorpusName>;

const vocabularySize = z
  .int()
  .min(2)
  .max(1_000_000)
  .nullable()
  .default(null)
  .describe(
    'Most tokens that the vocabulary may have, <unk> and the line end among them; the most frequent of the train split are kept; null = no limit',
  );
const minCount = z.int().min(1).max(1_000_000_000);
const lowercase = z.boolean().default(false).describe('Read the text in lower case');

export const PreTokenizer = z
  .enum(['whitespace', 'prose', 'lossless'])
  .describe('How text is cut into words');
export type PreTokenizer = z.infer<typeof PreTokenizer>;

/** How text becomes tokens. The vocabulary is always made from the train split alone. */
export const TokenizerConfig = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('word'),
      vocabularySize,
      minCount: minCount
        .nullable()
        .default(null)
        .describe(
          'Words that the train split has fewer times become <unk>, or are spelled in bytes by lossless; null = 1 where the text is tokenized already and has <unk> for its rare words (PTB, WikiText-2), else 2, so that <unk> or spelling is learned at all',
        ),
      lowercase,
      preTokenizer: z
        .enum(['auto', ...PreTokenizer.options])
        .default('auto')
        .describe(
          'whitespace: words are what white space separates (PTB, WikiText-2); prose: punctuation is cut off, spacing is not kept; lossless: words with the space before them, white space as words of its own, rare words spelled in bytes: the text comes back as it was; auto: what suits the corpus, lossless for uploaded text',
        ),
    }),
    z.strictObject({
      type: z.literal('character'),
      vocabularySize,
      minCount: minCount.default(1).describe('Characters that the train split has fewer times become <unk>'),
      lowercase,
    }),
    z.strictObject({
      type: z.literal('byte-pair'),
      vocabularySize: z
        .int()
        .min(256)
        .max(65_536)
        .default(4096)
        .describe('Tokens: the 256 bytes and the merges learned from the train split'),
      minCount: minCount
        .default(2)
        .describe('Pairs that the train split has fewer times are not merged any more'),
      lowercase,
    }),
  ])
  .describe('Tokenizer');
export type TokenizerConfig = z.infer<typeof TokenizerConfig>;

export const SplitName = z
  .enum(['train', 'valid', 'test'])
  .describe('Part of a corpus: to learn from, to steer by, to report');
export type SplitName = z.infer<typeof SplitName>;

const count = z.int().min(0);

/** Figures of one split, seen through a tokenizer. */
export const CorpusStatistics = z.object({
  tokens: count,
  types: count.describe('Different tokens'),
  unknownRate: z.number().min(0).max(1).describe('Fraction of the tokens that are <unk>'),
  longestLine: count.describe('Most tokens on one line, the line end among them'),
  bytes: count.describe('Length of the text in UTF-8'),
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

/** What was found out about a text when it was uploaded; null for what came otherwise, or before this was looked at. */
const uploadFacts = {
  documents: count.nullable().describe('Files, rows or lines that the text came in'),
  characters: perSplit(count).nullable().describe('Unicode characters of each split'),
  duplicates: z
    .object({ valid: share, test: share })
    .nullable()
    .describe(
      'Part of the text of valid, and of test, in lines of 40 bytes or more that train has too: a model that has learned them by heart is measured as too good',
    ),
  skippedFiles: z
    .array(z.string())
    .max(100)
    .describe('Files of an archive that are no text, and were left out'),
};

/** A corpus as HTTP shows it. */
export const CorpusInfo = z
  .object({
    id: z.string().describe('A known corpus’s name, or the id that the upload got'),
    name: z.string(),
    kind: z
      .enum(['embedded', 'known', 'uploaded'])
      .describe('embedded: comes with gatelm; known: downloaded when first used; uploaded: one’s own'),
    description: z.string(),
    source: z.string().describe('Where the text comes from'),
    available: z.boolean().describe('The text is on this machine (data folder or mirror folder)'),
    defaultPreTokenizer: PreTokenizer.describe('What the preTokenizer "auto" means for this corpus'),
    bytes: count.nullable().describe('Length of all splits in UTF-8'),
    tokens: count
      .nullable()
      .describe('Tokens of all splits with the default word tokenizer; null = not counted yet'),
    types: count
      .nullable()
      .describe('Vocabulary size with the default word tokenizer; null = not counted yet'),
    statistics: SplitStatistics.nullable().describe(
      'With the default word tokenizer; null = not counted yet',
    ),
    digest: z.string().nullable().describe('SHA-256 over the splits’ SHA-256, hexadecimal'),
    createdAt: z.string().nullable().describe('ISO 8601, UTC; null for what was not uploaded'),
    splitBy: z
      .enum(['blocks', 'tail', 'files'])
      .nullable()
      .describe('How an upload was split: blocks spread over the text, its tail, or files that were given'),
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
    text: z.string().describe('The beginning of the split'),
    truncated: z.boolean(),
  })
  .meta({
    id: 'CorpusPreview',
    examples: [{ id: 'ptb', split: 'train', text: ' the company said', truncated: true }],
  });
export type CorpusPreview = z.infer<typeof CorpusPreview>;

/** What a tokenizer makes of a corpus. */
export const TokenFigures = z
  .object({
    tokens: perSplit(count).describe('Of each split; estimates where only the beginning was read'),
    isExact: z.boolean().describe('The whole train split was read, not its beginning alone'),
    vocabularySize: count.describe('Of what was read: more text has more words'),
    unknownRate: share.describe('Part of valid’s tokens that hide a word; a text’s own <unk> hides nothing'),
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

/** What comes beside the text of an upload. */
export const CorpusUpload = z.strictObject({
  name: CorpusName.describe('A name to find the corpus by; must be free'),
  validFraction: fraction.default(0.05).describe('Part of the text that becomes valid, where it comes whole'),
  testFraction: fraction.default(0.05).describe('Part of the text that becomes test, where it comes whole'),
  splitBy: z
    .enum(['blocks', 'tail'])
    .default('blocks')
    .describe(
      'blocks: valid and test are blocks spread over the text, so that all splits are alike, and stay where they are when the text grows; documents (files, rows) are kept whole where the fractions allow it. tail: valid and test are its end, for text that is ordered in time',
    ),
  splitSeed: z.int().min(0).max(4_294_967_295).default(1).describe('Which blocks become valid and test'),
  tokenized: z
    .boolean()
    .default(false)
    .describe(
      'The text is tokenized already, as PTB is: words are what white space separates, and <unk> is the word for rare ones',
    ),
  textField: z
    .string()
    .min(1)
    .max(200)
    .default('text')
    .describe('Field of each line of a .jsonl file that is its text; a.b is the field b of a'),
  textColumn: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      'Column of a .csv or .tsv file that is the text, by its name in the first line; else the file is read as it is',
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

/** As gatelm 0.1 wrote it: one tail of the text, words of prose. */
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
