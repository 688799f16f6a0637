import { forEachSegment, type SegmenterName } from './segmenter.js';

/** Puts units together to text again, one by one; a line feed is the end of a line. */
export interface SegmentJoiner {
  /** What the unit adds to the text: itself, and a space before it where one belongs. */
  push(segment: string): string;
  /** What {@link push} would return; nothing changes. */
  peek(segment: string): string;
}

/** A joiner for what the segmenter of that name has cut; segmenting the joined text gives the same units again. */
export function createJoiner(segmenter: SegmenterName): SegmentJoiner {
  switch (segmenter) {
    case 'whitespace':
      return new SpaceJoiner();
    case 'prose':
    case 'prose-without-clusters':
      return new ProseJoiner(segmenter);
    case 'character':
      return { push: (segment) => segment, peek: (segment) => segment };
    default:
      return segmenter satisfies never;
  }
}

class SpaceJoiner implements SegmentJoiner {
  #atLineStart = true;

  push(segment: string): string {
    const text = this.peek(segment);
    this.#atLineStart = segment === '\n';
    return text;
  }

  peek(segment: string): string {
    return (this.#atLineStart || segment === '\n' ? '' : ' ') + segment;
  }
}

/** No space before what begins with these … */
const CLOSING = /^(?:[.,;:!?%)\]}…’”»/]|:\/\/|\]\()/u;
/** … nor after what ends with these. */
const OPENING = /[([{“«@$/]$/u;
/** They open and close: the first on a line opens, the second closes, and so on. */
const QUOTES: ReadonlySet<string> = new Set(['"', "'", '`', '**']);

/** Spacing as people write: none before a comma or after a bracket, quotes close to what they quote. */
class ProseJoiner implements SegmentJoiner {
  readonly #segmenter: SegmenterName;
  #previous = '\n';
  #previousOpens = false;
  readonly #openQuotes = new Set<string>();

  constructor(segmenter: SegmenterName) {
    this.#segmenter = segmenter;
  }

  push(segment: string): string {
    const text = this.peek(segment);
    const isQuote = QUOTES.has(segment);
    const closes = isQuote && this.#openQuotes.delete(segment);
    if (isQuote && !closes) this.#openQuotes.add(segment);
    if (segment === '\n') this.#openQuotes.clear();
    this.#previous = segment;
    this.#previousOpens = (isQuote && !closes) || OPENING.test(segment);
    return text;
  }

  peek(segment: string): string {
    const closes = this.#openQuotes.has(segment);
    const tight =
      segment === '\n' ||
      this.#previous === '\n' ||
      ((this.#previousOpens || closes || CLOSING.test(segment)) &&
        staysApart(this.#segmenter, this.#previous, segment));
    return (tight ? '' : ' ') + segment;
  }
}

/** Whether two units without a space between them are still read as these two. */
function staysApart(segmenter: SegmenterName, left: string, right: string): boolean {
  let cuts = 0;
  let cutBetween = false;
  forEachSegment(segmenter, left + right, (_, end) => {
    cuts++;
    if (end === left.length) cutBetween = true;
  });
  return cuts === 2 && cutBetween;
}
