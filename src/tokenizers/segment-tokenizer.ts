import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import { ByteOffsets } from './byte-offsets.js';
import { IdList } from './id-list.js';
import { lowerCaseByteMap, toLowerCase } from './lower-case.js';
import { createJoiner } from './segment-decoder.js';
import { afterLastWhiteSpace, forEachSegment, type SegmenterName } from './segmenter.js';
import {
  assertWellFormed,
  decodeAll,
  type EncodedText,
  type StreamingDecoder,
  type Tokenizer,
} from './tokenizer.js';
import { segmentTokenizerJson } from './tokenizer-json-format.js';
import { END_OF_LINE_TOKEN, type Vocabulary } from './vocabulary.js';

/**
 * Words or characters: each unit of the segmenter is a token, or `<unk>`. For words the line feed is the token `<eos>`, so
 * each line ends with it, except a last line without a line feed.
 */
export class SegmentTokenizer implements Tokenizer {
  readonly type: 'word' | 'character';
  readonly segmenter: SegmenterName;
  readonly lowercase: boolean;
  readonly vocabulary: Vocabulary;
  readonly keepsSpacing: boolean;

  constructor(fields: { segmenter: SegmenterName; lowercase: boolean; vocabulary: Vocabulary }) {
    this.type = fields.segmenter === 'character' ? 'character' : 'word';
    this.segmenter = fields.segmenter;
    this.keepsSpacing = fields.segmenter === 'character';
    this.lowercase = fields.lowercase;
    this.vocabulary = fields.vocabulary;
  }

  encode(text: string, onUnknown?: (word: string) => void): Int32Array {
    assertWellFormed(text);
    const { unknownId } = this.vocabulary;
    const ids = new IdList(this.segmenter === 'character' ? text.length : text.length >> 2);
    this.#forEachId(text, (id, _start, _end, segment) => {
      ids.push(id);
      if (id === unknownId) onUnknown?.(segment);
    });
    return ids.take();
  }

  encodeWithOffsets(text: string): EncodedText {
    assertWellFormed(text);
    const [ids, starts, ends] = [new IdList(), new IdList(), new IdList()];
    const offsets = new ByteOffsets(this.lowercase ? toLowerCase(text) : text);
    const source = this.lowercase ? lowerCaseByteMap(text) : null;
    this.#forEachId(text, (id, start, end) => {
      const [first, last] = [offsets.at(start), offsets.at(end) - 1];
      ids.push(id);
      starts.push(source ? source.starts[first]! : first);
      ends.push(source ? source.ends[last]! : last + 1);
    });
    return { ids: ids.take(), starts: starts.take(), ends: ends.take() };
  }

  safeCut(text: string): number {
    return this.segmenter === 'character' ? text.length : afterLastWhiteSpace(text);
  }

  decode(ids: ArrayLike<number>): string {
    return decodeAll(this, ids);
  }

  createDecoder(): StreamingDecoder {
    const joiner = createJoiner(this.segmenter);
    const { vocabulary } = this;
    const isWord = this.type === 'word';
    const segmentOf = (id: number) => (isWord && id === vocabulary.eosId ? '\n' : vocabulary.token(id));
    return {
      push: (id) => joiner.push(segmentOf(id)),
      peek: (id) => joiner.peek(segmentOf(id)),
      end: () => '',
    };
  }

  toJSON(): TokenizerJson {
    return segmentTokenizerJson(this.segmenter, this.lowercase, this.vocabulary);
  }

  /** @param visit receives the id, the position of the unit in the (lower-cased) text, and the unit */
  #forEachId(text: string, visit: (id: number, start: number, end: number, segment: string) => void): void {
    const { ids, unknownId } = this.vocabulary;
    const read = this.lowercase ? toLowerCase(text) : text;
    forEachSegment(this.segmenter, read, (start, end) => {
      const segment = read.slice(start, end);
      visit(ids.get(tokenOf(this.segmenter, segment)) ?? unknownId!, start, end, segment);
    });
  }
}

/** The token of a unit of text, whether or not it is in the vocabulary. */
export function tokenOf(segmenter: SegmenterName, segment: string): string {
  return segment === '\n' && segmenter !== 'character' ? END_OF_LINE_TOKEN : segment;
}
