import { z } from 'zod';

/** Maximum size of a tokenizer.json. */
export const MAX_TOKENIZER_JSON_BYTES = 64 * 1024 * 1024;
/** Maximum number of tokens in a vocabulary. */
export const MAX_VOCABULARY_SIZE = 1_000_000;
/** Maximum length of a token, in UTF-16 code units. */
export const MAX_TOKEN_LENGTH = 100_000;

// Not z.record: it drops the key "__proto__", which is a word like any other in a text about JavaScript.
const Vocab = z.custom<Readonly<Record<string, number>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((id) => Number.isInteger(id)),
  'expected an object of token → id (integer)',
);
const Merge = z.union([z.string(), z.tuple([z.string(), z.string()])]);

/** The part of Hugging Face's tokenizer.json that gatelm writes and reads. */
export const TokenizerJson = z.object({
  version: z.literal('1.0'),
  truncation: z.null().default(null),
  padding: z.null().default(null),
  added_tokens: z.array(z.unknown()).max(0, 'added tokens are not supported').default([]),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.null().default(null),
  decoder: z.unknown().default(null),
  model: z.discriminatedUnion('type', [
    z.object({ type: z.literal('WordLevel'), vocab: Vocab, unk_token: z.string() }),
    z.object({
      type: z.literal('BPE'),
      dropout: z.null().default(null),
      unk_token: z.null().default(null),
      continuing_subword_prefix: z.union([z.null(), z.literal('')]).default(null),
      end_of_word_suffix: z.union([z.null(), z.literal('')]).default(null),
      fuse_unk: z.literal(false).default(false),
      byte_fallback: z.literal(false).default(false),
      ignore_merges: z.boolean().default(false),
      vocab: Vocab,
      merges: z.array(Merge).max(MAX_VOCABULARY_SIZE),
    }),
  ]),
});
export type TokenizerJson = z.infer<typeof TokenizerJson>;
