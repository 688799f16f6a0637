/** Rows of a long table that are worth drawing: those in sight, and some beside them. */
export interface VisibleRows {
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
  /** Height of what is left out before and behind, in pixels. */
  readonly before: number;
  readonly after: number;
}

const OVERSCAN = 6;

/** As many rows wherever the table stands, so that what leaves at one end is used again at the other. */
export function visibleRows(
  count: number,
  rowHeight: number,
  view: { readonly top: number; readonly height: number },
): VisibleRows {
  const drawn = Math.min(count, Math.ceil(view.height / rowHeight) + 1 + 2 * OVERSCAN);
  const wanted = Math.floor(view.top / rowHeight) - OVERSCAN;
  const first = Math.max(0, Math.min(wanted, count - drawn));
  const end = first + drawn;
  return { first, end, before: first * rowHeight, after: (count - end) * rowHeight };
}

/**
 * The slot that draws each row: a row in sight keeps its own, one that comes takes that of one that has left.
 * @param previous slots by id, before
 */
export function assignSlots(
  previous: ReadonlyMap<string, number>,
  ids: readonly string[],
): Map<string, number> {
  const kept = new Set(ids.flatMap((id) => previous.get(id) ?? []));
  const free = [...Array(ids.length + kept.size).keys()].filter((slot) => !kept.has(slot));
  return new Map(ids.map((id) => [id, previous.get(id) ?? free.shift()!]));
}
