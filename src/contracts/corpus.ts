import { z } from 'zod';

/** Corpora that gatelm knows without an upload. */
export const KnownCorpusName = z.enum(['handbook', 'ptb', 'wikitext-2', 'tiny-shakespeare']);
export type KnownCorpusName = z.infer<typeof KnownCorpusName>;

const safeName = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?$/,
    'must be 1 to 100 of A-Z a-z 0-9 . _ - and begin with a letter or digit, not end with a dot',
  );

export const CorpusName = safeName.describe(
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

/** A corpus as HTTP shows it. */
export const CorpusInfo = z.object({
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
  types: count.nullable().describe('Vocabulary size with the default word tokenizer; null = not counted yet'),
  statistics: SplitStatistics.nullable().describe('With the default word tokenizer; null = not counted yet'),
  digest: z.string().nullable().describe('SHA-256 over the splits’ SHA-256, hexadecimal'),
  createdAt: z.string().nullable().describe('ISO 8601, UTC; null for what was not uploaded'),
});
export type CorpusInfo = z.infer<typeof CorpusInfo>;

export const CorpusPreview = z.object({
  id: z.string(),
  split: SplitName,
  text: z.string().describe('The beginning of the split'),
  truncated: z.boolean(),
});
export type CorpusPreview = z.infer<typeof CorpusPreview>;

const fraction = z.number().gt(0).lt(1);

/** What comes beside the text of an upload. */
export const CorpusUpload = z.strictObject({
  name: CorpusName.describe('A name to find the corpus by; must be free'),
  validFraction: fraction
    .default(0.05)
    .describe('Part of a single text that becomes valid, cut at a line end'),
  testFraction: fraction.default(0.05).describe('Part of a single text that becomes test, cut at a line end'),
});
export type CorpusUpload = z.infer<typeof CorpusUpload>;
/** An upload before the defaults are filled in. */
export type CorpusUploadInput = z.input<typeof CorpusUpload>;

/** corpus.json of an uploaded corpus. */
export const StoredCorpusManifest = z.strictObject({
  version: z.literal(1),
  id: safeName,
  name: safeName,
  createdAt: z.string(),
  splitBy: z.enum(['fractions', 'files']),
  files: z.strictObject({
    train: z.strictObject({ bytes: count, sha256: z.string().length(64) }),
    valid: z.strictObject({ bytes: count, sha256: z.string().length(64) }),
    test: z.strictObject({ bytes: count, sha256: z.string().length(64) }),
  }),
  statistics: SplitStatistics,
  types: count,
  digest: z.string().length(64),
});
export type StoredCorpusManifest = z.infer<typeof StoredCorpusManifest>;
