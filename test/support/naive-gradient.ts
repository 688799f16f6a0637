/** Far below the size of the numbers, far above what float64 rounds: the error is about its square. */
const STEP = 1e-5;

/**
 * The gradients of Σ dHiddens ⊙ hiddens by central differences in float64, exact to about nine digits: what a twin that has
 * only a forward pass is good for.
 * @param names of the arrays among the inputs
 */
export function naiveGradients<Name extends string, Inputs extends Record<Name, ArrayLike<number>>>(
  forward: (inputs: Inputs) => Float64Array,
  inputs: Inputs,
  names: readonly Name[],
  dHiddens: ArrayLike<number>,
): Record<Name, Float64Array> {
  const loss = (changed: Inputs) =>
    forward(changed).reduce((sum, hidden, index) => sum + hidden * dHiddens[index]!, 0);
  const gradients = names.map((name) => {
    const values = Float64Array.from(inputs[name]);
    const gradient = values.map((value, index) => {
      const [above, below] = [STEP, -STEP].map((step) => {
        values[index] = value + step;
        return loss({ ...inputs, [name]: values });
      });
      values[index] = value;
      return (above! - below!) / (2 * STEP);
    });
    return [name, gradient] as const;
  });
  return Object.fromEntries(gradients) as Record<Name, Float64Array>;
}
