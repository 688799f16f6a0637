/** The addon in native/ and the backend that runs its ops, as far as they are known here. */
import type { Tensor } from '../../tensor/tensorflow.js';

/** The part of tfjs-node's backend that runs an op by its name. */
export interface NodeBackend {
  readonly binding: { readonly TF_ATTR_BOOL: number; readonly TF_ATTR_INT: number };
  executeMultipleOutputs(name: string, attributes: unknown[], inputs: Tensor[], outputs: number): Tensor[];
}

/** What the addon says about itself. */
export interface NativeAddon {
  /** The path in use: portable, avx2, avx512, avx512bf16 or amx. */
  readonly cpu: string;
  /** The path that serves where GATELM_CPU names none. */
  readonly best: string;
  /** Whether large products can be made in bfloat16. */
  readonly bfloat16: boolean;
  readonly threads: number;
}
