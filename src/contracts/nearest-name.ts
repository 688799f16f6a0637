/** Names longer than this are not compared: the distance costs length × length. */
const MAX_COMPARED_LENGTH = 64;

/** The candidate nearest to a name by edit distance, if it is near enough to be what was meant. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_COMPARED_LENGTH) return undefined;
  const wanted = fold(name);
  const farthest = Math.max(2, Math.floor(wanted.length / 3));
  let nearest: string | undefined;
  let least = farthest + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, fold(candidate));
    if (distance < least) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}

/** Number of insertions, deletions and replacements that turn one string into the other (Levenshtein 1966). */
export function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[to.length]!;
}

/** `learning_rate`, `learning-rate` and `learningrate` are the same word here. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[_\-\s]/g, '');
}
