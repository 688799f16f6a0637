/** Position of the first stop string, searched from where a new one may begin; null when there is none. */
export function findStop(text: string, stop: readonly string[], checked: number): number | null {
  const positions = stop
    .map((word) => text.indexOf(word, Math.max(0, checked - word.length + 1)))
    .filter((position) => position >= 0);
  return positions.length > 0 ? Math.min(...positions) : null;
}

/** Length of the text that can be shown: without an end that may be the start of a stop string. */
export function shownLength(text: string, stop: readonly string[]): number {
  const held = stop.map((word) => {
    let length = Math.min(word.length - 1, text.length);
    while (length > 0 && !text.endsWith(word.slice(0, length))) length--;
    return length;
  });
  return text.length - Math.max(0, ...held);
}
