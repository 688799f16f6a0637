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

export function visibleRows(
  count: number,
  rowHeight: number,
  view: { readonly top: number; readonly height: number },
): VisibleRows {
  const top = Math.max(0, Math.min(view.top, count * rowHeight - view.height));
  const first = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
  const end = Math.min(count, Math.ceil((top + view.height) / rowHeight) + OVERSCAN);
  return { first, end, before: first * rowHeight, after: (count - end) * rowHeight };
}
