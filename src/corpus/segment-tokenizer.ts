import type { TokenizerJson } from '../contracts/tokenizer-json.js';
import { ByteOffsets } from './byte-offsets.js';
import { IdList } from './id-list.js';
import { createJoiner } from './segment-decoder.js';
import { forEachSegment, type SegmenterName } from './segmenter.js';
import {
  assertWellFormed,
  decodeAll,
  type EncodedText,
  type StreamingDecoder,
  type Tokenizer,
  toLowerCase,
} from './tokenizer.js';
import { segmentTokenizerJson } from './tokenizer-json-format.js';
import { END_OF_LINE_TOKEN, type Vocabulary } from './vocabulary.js';

/**
 * Words or characters: every unit that the segmenter cuts is a token, or `<unk>`. For words the line feed is the token
 * `<eos>`, so each line ends with it; a last line without a line feed does not.
 */
export class SegmentTokenizer implements Tokenizer {
  readonly type: 'word' | 'character';
  readonly segmenter: SegmenterName;
  readonly lowercase: boolean;
  readonly vocabulary: Vocabulary;

  constructor(fields: { segmenter: SegmenterName; lowercase: boolean; vocabulary: Vocabulary }) {
    this.type = fields.segmenter === 'character' ? 'character' : 'word';
    this.segmenter = fields.segmenter;
    this.lowercase = fields.lowercase;
    this.vocabulary = fields.vocabulary;
  }

  encode(text: string): Int32Array {
    assertWellFormed(text);
    const ids = new IdList(this.segmenter === 'character' ? text.length : text.length >> 2);
    const lookUp = this.#lookUp();
    forEachSegment(this.segmenter, text, (start, end) => ids.push(lookUp(text.slice(start, end))));
    return ids.take();
  }

  encodeWithOffsets(text: string): EncodedText {
    assertWellFormed(text);
    const [ids, starts, ends] = [new IdList(), new IdList(), new IdList()];
    const offsets = new ByteOffsets(text);
    const lookUp = this.#lookUp();
    forEachSegment(this.segmenter, text, (start, end) => {
      ids.push(lookUp(text.slice(start, end)));
      starts.push(offsets.at(start));
      ends.push(offsets.at(end));
    });
    return { ids: ids.take(), starts: starts.take(), ends: ends.take() };
  }

  decode(ids: ArrayLike<number>): string {
    return decodeAll(this, ids);
  }

  createDecoder(): StreamingDecoder {
    const joiner = createJoiner(this.segmenter);
    const { vocabulary } = this;
    const isWord = this.type === 'word';
    return {
      push: (id) => joiner.push(isWord && id === vocabulary.eosId ? '\n' : vocabulary.token(id)),
      end: () => '',
    };
  }

  toJSON(): TokenizerJson {
    return segmentTokenizerJson(this.segmenter, this.lowercase, this.vocabulary);
  }

  #lookUp(): (segment: string) => number {
    const { ids, unknownId } = this.vocabulary;
    return (segment) => ids.get(tokenOf(this.segmenter, this.lowercase, segment)) ?? unknownId!;
  }
}

/** The token that a unit of text is, before the vocabulary is asked. */
export function tokenOf(segmenter: SegmenterName, lowercase: boolean, segment: string): string {
  if (segment === '\n' && segmenter !== 'character') return END_OF_LINE_TOKEN;
  return lowercase ? toLowerCase(segment) : segment;
}
