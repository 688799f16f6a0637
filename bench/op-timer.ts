import * as tf from '../src/tensor/tensorflow.js';

/** What one TensorFlow op took, over all its calls. */
export interface OpTime {
  readonly op: string;
  calls: number;
  seconds: number;
  /** Floating-point operations of its products; a multiplication and its addition are two. */
  flop: number;
}

type Execute = (name: string, attributes: unknown, inputs: tf.Tensor[], ...rest: unknown[]) => unknown;

/**
 * Times every op that tfjs-node runs from now on; ops run one at a time and have finished when the call returns.
 * @returns the times so far, emptied by `clear`
 */
export function timeOps(): { times(): OpTime[]; clear(): void } {
  const times = new Map<string, OpTime>();
  const backend = tf.backend() as unknown as Record<string, Execute>;
  for (const method of ['executeSingleOutput', 'executeMultipleOutputs']) {
    const execute = backend[method]!.bind(backend);
    backend[method] = (name, attributes, inputs, ...rest) => {
      const start = performance.now();
      const result = execute(name, attributes, inputs, ...rest);
      const time = times.get(name) ?? { op: name, calls: 0, seconds: 0, flop: 0 };
      time.seconds += (performance.now() - start) / 1000;
      time.calls++;
      time.flop += flopOf(name, inputs, result);
      times.set(name, time);
      return result;
    };
  }
  return { times: () => [...times.values()], clear: () => times.clear() };
}

function flopOf(name: string, inputs: tf.Tensor[], result: unknown): number {
  const shape = (index: number) => inputs[index]!.shape as number[];
  switch (name) {
    case 'GatelmLstm':
    case 'GatelmLstmPacked':
      return lstmFlop(shape(0), shape(1), shape(2));
    case 'GatelmLstmGrad':
      return 2 * lstmFlop(shape(1), shape(2), shape(3));
    case 'GatelmSoftmaxLossGrad':
      return 3 * 2 * inputs[0]!.size * shape(2)[0]!; // h [M, H], b [V]
    case 'GatelmSoftmaxLoss':
    case 'GatelmSoftmaxLossPacked':
    case 'GatelmLogitsPacked':
      return 2 * inputs[0]!.size * shape(2)[0]!;
    case 'GatelmNextTokens':
      return nextTokensFlop(inputs);
    case 'MatMul':
    case 'BatchMatMul':
    case 'BatchMatMulV2': {
      const rowsAndColumns = (result as tf.Tensor).size; // m·n of [m, k] · [k, n]
      return 2 * Math.sqrt(inputs[0]!.size * inputs[1]!.size * rowsAndColumns);
    }
    default:
      return 0;
  }
}

/** @param x [T, N, D], or [R, D] with indices [T, N] @param hidden [N, H] */
function lstmFlop(x: number[], indices: number[], hidden: number[]): number {
  const [hiddenSize, width] = [hidden[1]!, x.at(-1)!];
  const inputs = product(x) / width;
  const steps = indices.length === 2 ? product(indices) : inputs;
  return 2 * 4 * hiddenSize * (inputs * width + steps * hiddenSize);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** @param inputs ids, count, embedding [V, D], packed output, its bias, then hidden [N, H] of each layer and as many of four others */
function nextTokensFlop(inputs: tf.Tensor[]): number {
  const layers = (inputs.length - 5) / 5;
  let [vocabularySize, width] = inputs[2]!.shape as [number, number];
  let flop = 0;
  for (const hidden of inputs.slice(5, 5 + layers)) {
    const [streams, hiddenSize] = hidden.shape as [number, number];
    flop += lstmFlop([1, streams, width], [], [streams, hiddenSize]);
    width = hiddenSize;
  }
  return flop + 2 * inputs[0]!.size * width * vocabularySize;
}
