/** The lowest value of the first so many epochs: what the best checkpoint up to there is worth. */
export function bestValue(values: readonly number[], epochs = values.length): number {
  return Math.min(...values.slice(0, epochs));
}
