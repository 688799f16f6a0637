import { forEachSegment, type SegmenterName } from './segmenter.js';

/** Joins units to text, one by one; a line feed ends a line. */
export interface SegmentJoiner {
  /** The text that the unit adds: the unit itself, after a space where one belongs. */
  push(segment: string): string;
  /** What {@link push} would return; changes no state. */
  peek(segment: string): string;
}

/** The joiner for a segmenter; segmenting the joined text again gives the same units. */
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

/** No space before a unit that begins with one of these … */
const CLOSING = /^(?:[.,;:!?%)\]}…’”»/]|:\/\/|\]\()/u;
/** … nor after a unit that ends with one of these. */
const OPENING = /[([{“«@$/]$/u;
/** Opening and closing at once: on a line the first opens, the second closes, and so on. */
const QUOTES: ReadonlySet<string> = new Set(['"', "'", '`', '**']);

/** Usual spacing of prose: none before a comma or after an opening bracket, none inside quotes. */
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

/** Whether two units without a space between them are still segmented as these two. */
function staysApart(segmenter: SegmenterName, left: string, right: string): boolean {
  let cuts = 0;
  let cutBetween = false;
  forEachSegment(segmenter, left + right, (_, end) => {
    cuts++;
    if (end === left.length) cutBetween = true;
  });
  return cuts === 2 && cutBetween;
}
