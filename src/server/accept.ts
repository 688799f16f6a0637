/**
 * The offered media type that an Accept header prefers; the first one if the header is missing or accepts none: a
 * response in another format is more useful than none.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  offered: readonly Type[],
): Type {
  const accepted = (accept ?? '*/*').slice(0, 1000).split(',').map(readAcceptedRange);
  let best = offered[0]!;
  let bestQuality = 0;
  for (const type of offered) {
    const quality = qualityOf(type, accepted);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

/**
 * Chooses the format of a response by `?format=`, else by the Accept header, and sets its Content-Type.
 * @param types media type by the name of each format; the first one is the default
 */
export function chooseFormat<Format extends string>(
  reply: { type(value: string): unknown },
  types: Readonly<Record<Format, string>>,
  format: Format | undefined,
  accept: string | undefined,
): Format {
  const formats = Object.keys(types) as Format[];
  const preferred = preferredType(accept, Object.values<string>(types));
  const chosen = format ?? formats.find((each) => types[each] === preferred)!;
  reply.type(`${types[chosen]}; charset=utf-8`);
  return chosen;
}

interface AcceptedRange {
  readonly range: string;
  readonly quality: number;
}

function readAcceptedRange(text: string): AcceptedRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  return { range, quality: quality ? Number(quality.slice(2)) || 0 : 1 };
}

/** The quality of the most specific matching range. */
function qualityOf(type: string, accepted: readonly AcceptedRange[]): number {
  const kind = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const range of [type, kind, '*/*']) {
    const match = accepted.find((candidate) => candidate.range === range);
    if (match) return match.quality;
  }
  return 0;
}
