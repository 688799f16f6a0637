import type { Kernels } from '../src/kernels/kernels.js';
import * as tf from '../src/tensor/tensorflow.js';
import type { Precision } from './workload.js';

/** What the machine can do at best, measured with gatelm's own kernels on sizes that suit them. */
export interface MachineLimit {
  /** Of one large product, floating-point operations a second. */
  readonly flopPerSecond: number;
  /** Read from memory, bytes a second. */
  readonly bytesPerSecond: number;
}

const SIDE = 1408;
const ROUNDS = 5;
/** Larger than the caches. */
const READ_ELEMENTS = 64 << 20;

/** Null where the kernels are not fused. */
export function measureMachineLimit(precision: Precision, kernels: Kernels): MachineLimit | null {
  if (kernels.name !== 'fused') return null;
  const bf16 = precision === 'bfloat16';
  return tf.tidy(() => {
    const h = tf.randomNormal([SIDE, SIDE]);
    const weights = { w: tf.randomNormal([SIDE, SIDE]), b: tf.zeros([SIDE]), bf16 };
    const packed = kernels.packOutput(weights);
    const product = shortest(() => kernels.logits({ h, packed, ...weights }).dispose());
    const large = tf.ones([READ_ELEMENTS]);
    const reading = shortest(() => kernels.sumSquares([large]));
    return { flopPerSecond: (2 * SIDE ** 3) / product, bytesPerSecond: (4 * READ_ELEMENTS) / reading };
  });
}

/** Seconds of the fastest of some calls. */
function shortest(run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
