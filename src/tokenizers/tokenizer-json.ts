/**
 * tokenizer.json, the format of Hugging Face's tokenizers: words and characters as `WordLevel`, byte pairs as byte-level
 * `BPE`. gatelm reads what it writes (also after Hugging Face has saved it again), nothing else.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  MAX_TOKEN_LENGTH,
  MAX_TOKENIZER_JSON_BYTES,
  MAX_VOCABULARY_SIZE,
  TokenizerJson,
} from '../contracts/tokenizer-json.js';
import { appError } from '../errors.js';
import { BYTE_CHARACTERS, readSpelledBytes } from './byte-alphabet.js';
import { BYTE_LEVEL_LINE_FEED, type ByteLevelTokenizer } from './byte-level-tokenizer.js';
import type { RankedMerge } from './byte-pair-merger.js';
import { BytePairTokenizer } from './byte-pair-tokenizer.js';
import { pairKey } from './byte-pair-training.js';
import { LosslessWordTokenizer } from './lossless-word-tokenizer.js';
import { SegmentTokenizer } from './segment-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';
import {
  bytePairPipeline,
  losslessWordPipeline,
  type Pipeline,
  segmentPipeline,
} from './tokenizer-json-format.js';
import { END_OF_LINE_TOKEN, UNKNOWN_TOKEN, Vocabulary } from './vocabulary.js';

type Model<Type> = Extract<TokenizerJson['model'], { type: Type }>;

/**
 * Reads a tokenizer.json.
 * @param json content of the file, as text or bytes
 * @throws tokenizer-invalid, with the reason
 */
export function parseTokenizerJson(json: string | Uint8Array): Tokenizer {
  const parsed = parseJson(json);
  return parsed.model.type === 'BPE'
    ? readByteLevel(parsed, parsed.model)
    : readSegments(parsed, parsed.model);
}

function parseJson(json: string | Uint8Array): TokenizerJson {
  const bytes = typeof json === 'string' ? Buffer.byteLength(json, 'utf8') : json.byteLength;
  if (bytes > MAX_TOKENIZER_JSON_BYTES) {
    throw invalid(`${bytes} bytes exceed the limit of ${MAX_TOKENIZER_JSON_BYTES}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(
      typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json),
    );
  } catch (cause) {
    throw invalid(`not JSON in UTF-8 (${cause instanceof Error ? cause.message : cause})`, cause);
  }
  const result = TokenizerJson.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(`${issue?.path.join('.') || 'the file'}: ${issue?.message}`);
}

function readSegments(parsed: TokenizerJson, model: Model<'WordLevel'>): SegmentTokenizer {
  if (model.unk_token !== UNKNOWN_TOKEN) throw invalid(`unk_token must be "${UNKNOWN_TOKEN}"`);
  for (const segmenter of ['whitespace', 'prose', 'prose-without-clusters', 'character'] as const) {
    for (const lowercase of [false, true]) {
      if (!isSamePipeline(parsed, segmentPipeline(segmenter, lowercase))) continue;
      const vocabulary = new Vocabulary({
        tokens: readTokens(model.vocab),
        counts: null,
        unknownToken: UNKNOWN_TOKEN,
        eosToken: segmenter === 'character' ? '\n' : END_OF_LINE_TOKEN,
      });
      return new SegmentTokenizer({ segmenter, lowercase, vocabulary });
    }
  }
  throw invalid('unsupported normalizer or pre_tokenizer for WordLevel: expected those that gatelm writes');
}

function readByteLevel(parsed: TokenizerJson, model: Model<'BPE'>): ByteLevelTokenizer {
  const pipeline = model.ignore_merges ? losslessWordPipeline : bytePairPipeline;
  const lowercase = [false, true].find((value) => isSamePipeline(parsed, pipeline(value)));
  if (lowercase === undefined) {
    throw invalid(
      'unsupported normalizer or pre_tokenizer for BPE: expected those that gatelm writes (byte level, no prefix space)',
    );
  }
  const vocabulary = readByteLevelVocabulary(model);
  if (!model.ignore_merges)
    return new BytePairTokenizer({ lowercase, vocabulary, merges: readMerges(model.merges, vocabulary) });
  if (model.merges.length > 0) throw invalid('with ignore_merges there must be no merges');
  return new LosslessWordTokenizer({ lowercase, vocabulary });
}

function readByteLevelVocabulary(model: Model<'BPE'>): Vocabulary {
  const tokens = readTokens(model.vocab);
  for (const token of tokens) {
    if (!readSpelledBytes(token))
      throw invalid(`token ${JSON.stringify(token)} contains characters outside of GPT-2's byte alphabet`);
  }
  const eosToken = BYTE_LEVEL_LINE_FEED;
  const vocabulary = new Vocabulary({ tokens, counts: null, unknownToken: null, eosToken });
  const missing = BYTE_CHARACTERS.findIndex((character) => !vocabulary.ids.has(character));
  if (missing >= 0) throw invalid(`the vocabulary lacks the byte ${missing}`);
  return vocabulary;
}

/** The decoder is not compared: it does not affect ids, and Hugging Face serializes its defaults in several ways. */
function isSamePipeline(parsed: Pipeline, expected: Pipeline): boolean {
  return (
    isDeepStrictEqual(parsed.normalizer, expected.normalizer) &&
    isDeepStrictEqual(parsed.pre_tokenizer, expected.pre_tokenizer)
  );
}

function readTokens(vocab: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(vocab);
  if (entries.length > MAX_VOCABULARY_SIZE) {
    throw invalid(`${entries.length} tokens exceed the limit of ${MAX_VOCABULARY_SIZE}`);
  }
  const tokens: string[] = new Array(entries.length);
  for (const [token, id] of entries) {
    if (id < 0 || id >= entries.length || tokens[id] !== undefined) {
      throw invalid(
        `ids must be 0 … ${entries.length - 1}, each once; ${JSON.stringify(token.slice(0, 100))} has ${id}`,
      );
    }
    if (token.length === 0 || token.length > MAX_TOKEN_LENGTH || /\p{Surrogate}/u.test(token)) {
      throw invalid(`token ${id} is empty, too long or has a lone surrogate`);
    }
    tokens[id] = token;
  }
  return tokens;
}

function readMerges(merges: Model<'BPE'>['merges'], vocabulary: Vocabulary): RankedMerge[] {
  const seen = new Set<number>();
  return merges.map((merge, rank) => {
    const parts = typeof merge === 'string' ? merge.split(' ') : merge;
    const [left, right, id] = [parts[0] ?? '', parts[1] ?? '', parts.join('')].map((token) =>
      vocabulary.ids.get(token),
    );
    if (parts.length !== 2 || left === undefined || right === undefined || id === undefined) {
      throw invalid(
        `merge ${rank} (${JSON.stringify(merge).slice(0, 200)}) does not consist of tokens of the vocabulary`,
      );
    }
    if (seen.size === seen.add(pairKey(left, right)).size) throw invalid(`merge ${rank} appears twice`);
    return { left, right, id, rank };
  });
}

function invalid(reason: string, cause?: unknown) {
  return appError('tokenizer-invalid', { file: 'tokenizer.json', reason }, cause);
}
