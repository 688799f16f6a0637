/** The lowest value of the first epochs, that of the best checkpoint so far. */
export function bestValue(values: readonly number[], epochs = values.length): number {
  return Math.min(...values.slice(0, epochs));
}
