/**
 * How the tokenizers are represented in Hugging Face's format: words and characters as `WordLevel`, byte pairs as byte-level
 * `BPE`, lossless words as `BPE` without merges whose pieces are looked up whole (`ignore_merges`).
 */
import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import type { RankedMerge } from './byte-pair-merger.js';
import type { SegmenterName } from './segmenter.js';
import { END_OF_LINE_TOKEN, UNKNOWN_TOKEN, type Vocabulary } from './vocabulary.js';
import { LOSSLESS_PATTERN, PROSE_PATTERN, PROSE_PATTERN_WITHOUT_CLUSTERS } from './word-patterns.js';

type Model<Type> = Extract<TokenizerJson['model'], { type: Type }>;
export type Pipeline = Pick<TokenizerJson, 'normalizer' | 'pre_tokenizer' | 'decoder'>;

/** tokenizer.json of words or characters. */
export function segmentTokenizerJson(
  segmenter: SegmenterName,
  lowercase: boolean,
  vocabulary: Vocabulary,
): TokenizerJson {
  const model: Model<'WordLevel'> = {
    type: 'WordLevel',
    vocab: vocabRecord(vocabulary),
    unk_token: UNKNOWN_TOKEN,
  };
  return { ...FRAME, ...segmentPipeline(segmenter, lowercase), model };
}

/** tokenizer.json of byte pairs. */
export function bytePairTokenizerJson(
  lowercase: boolean,
  vocabulary: Vocabulary,
  merges: readonly RankedMerge[],
): TokenizerJson {
  const model: Model<'BPE'> = {
    ...BYTE_LEVEL_MODEL,
    ignore_merges: false,
    vocab: vocabRecord(vocabulary),
    // Each merge is one string: versions before 0.20 read no other form, later ones read both.
    merges: merges.map(({ left, right }) => `${vocabulary.token(left)} ${vocabulary.token(right)}`),
  };
  return { ...FRAME, ...bytePairPipeline(lowercase), model };
}

/** tokenizer.json of lossless words. */
export function losslessWordTokenizerJson(lowercase: boolean, vocabulary: Vocabulary): TokenizerJson {
  const model: Model<'BPE'> = {
    ...BYTE_LEVEL_MODEL,
    ignore_merges: true,
    vocab: vocabRecord(vocabulary),
    merges: [],
  };
  return { ...FRAME, ...losslessWordPipeline(lowercase), model };
}

const BYTE_LEVEL_MODEL = {
  type: 'BPE',
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
} as const;

const FRAME = {
  version: '1.0' as const,
  truncation: null,
  padding: null,
  added_tokens: [],
  post_processor: null,
};

/** What comes before and after the model, for words and characters. */
export function segmentPipeline(segmenter: SegmenterName, lowercase: boolean): Pipeline {
  const lineEnd = { type: 'Replace', pattern: { String: '\n' }, content: ` ${END_OF_LINE_TOKEN} ` };
  const lower = { type: 'Lowercase' };
  switch (segmenter) {
    case 'whitespace':
    case 'prose':
    case 'prose-without-clusters':
      return {
        normalizer: lowercase ? { type: 'Sequence', normalizers: [lower, lineEnd] } : lineEnd,
        pre_tokenizer: WORD_CUTS[segmenter],
        decoder: null,
      };
    case 'character':
      return {
        normalizer: lowercase ? lower : null,
        pre_tokenizer: split('[\\s\\S]', 'Isolated', false),
        decoder: { type: 'Fuse' },
      };
    default:
      return segmenter satisfies never;
  }
}

const WORD_CUTS = {
  whitespace: { type: 'WhitespaceSplit' },
  prose: split(PROSE_PATTERN, 'Removed', true),
  'prose-without-clusters': split(PROSE_PATTERN_WITHOUT_CLUSTERS, 'Removed', true),
};

function split(pattern: string, behavior: string, invert: boolean) {
  return { type: 'Split', pattern: { Regex: pattern }, behavior, invert };
}

/** What comes before and after the model, for byte pairs. */
export function bytePairPipeline(lowercase: boolean): Pipeline {
  return {
    normalizer: lowercase ? { type: 'Lowercase' } : null,
    pre_tokenizer: byteLevel(true),
    decoder: BYTE_LEVEL_DECODER,
  };
}

/** What comes before and after the model, for lossless words. */
export function losslessWordPipeline(lowercase: boolean): Pipeline {
  const pretokenizers = [split(LOSSLESS_PATTERN, 'Isolated', false), byteLevel(false)];
  return {
    normalizer: lowercase ? { type: 'Lowercase' } : null,
    pre_tokenizer: { type: 'Sequence', pretokenizers },
    decoder: BYTE_LEVEL_DECODER,
  };
}

const BYTE_LEVEL_DECODER = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };

function byteLevel(useGpt2Cut: boolean) {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useGpt2Cut };
}

/** Without a prototype, so that `__proto__` is an ordinary key. */
function vocabRecord(vocabulary: Vocabulary): Record<string, number> {
  const record: Record<string, number> = Object.create(null);
  vocabulary.tokens.forEach((token, id) => {
    record[token] = id;
  });
  return record;
}
