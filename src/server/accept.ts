/**
 * The offered media type that an Accept header likes best; the first one when the header is missing or likes none: an
 * answer in another format is of more use than none.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  offered: readonly Type[],
): Type {
  const wishes = (accept ?? '*/*').slice(0, 1000).split(',').map(readWish);
  let best = offered[0]!;
  let bestQuality = 0;
  for (const type of offered) {
    const quality = qualityOf(type, wishes);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

interface Wish {
  readonly range: string;
  readonly quality: number;
}

function readWish(text: string): Wish {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  return { range, quality: quality ? Number(quality.slice(2)) || 0 : 1 };
}

/** The most specific range that fits decides. */
function qualityOf(type: string, wishes: readonly Wish[]): number {
  const kind = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const range of [type, kind, '*/*']) {
    const wish = wishes.find((candidate) => candidate.range === range);
    if (wish) return wish.quality;
  }
  return 0;
}
