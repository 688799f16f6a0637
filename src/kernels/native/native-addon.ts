/** Types of the addon in native/ and of the backend that runs its ops. */
import type { Tensor } from '../../tensor/tensorflow.js';

/** The part of tfjs-node's backend that runs an op by name. */
export interface NodeBackend {
  readonly binding: { readonly TF_ATTR_BOOL: number; readonly TF_ATTR_INT: number };
  executeMultipleOutputs(name: string, attributes: unknown[], inputs: Tensor[], outputs: number): Tensor[];
}

/** Properties of the addon. */
export interface NativeAddon {
  /** The instruction set in use: portable, avx2, avx512, avx512bf16 or amx. */
  readonly cpu: string;
  /** The best instruction set of this processor, used unless GATELM_CPU names another. */
  readonly best: string;
  /** Whether large products can be computed in bfloat16. */
  readonly bfloat16: boolean;
  readonly threads: number;
}
