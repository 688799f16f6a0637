import type { ModelConfig } from '../contracts/model.js';
import { appError } from '../errors.js';
import { biasToPyTorch, gatesToPyTorch } from './pytorch-gates.js';
import { DECODER_BIAS, DECODER_WEIGHT, ENCODER_WEIGHT, layerNames } from './pytorch-names.js';
import type { HostTensor } from './safetensors.js';

export interface PyTorchExportOptions {
  /**
   * What becomes of tied weights. twice: `decoder.weight` is written too, so that `load_state_dict` finds every name;
   * once: it is left out, the file is smaller.
   */
  readonly tiedWeights: 'twice' | 'once';
}

/**
 * The weights of a model under PyTorch's names, for an `nn.Embedding`, `nn.LSTM` and `nn.Linear` as in
 * examples/word_language_model. The one bias of a layer becomes `bias_ih`; `bias_hh` is zeros.
 * @param weights by gatelm's names, as in weights.safetensors
 * @throws tensor-mismatch when a weight is missing
 */
export function exportToPyTorch(
  weights: ReadonlyMap<string, HostTensor>,
  config: ModelConfig,
  { tiedWeights }: PyTorchExportOptions,
): Map<string, HostTensor> {
  const find = (name: string): HostTensor => {
    const tensor = weights.get(name);
    if (!tensor)
      throw appError('tensor-mismatch', { tensor: name, expected: 'a tensor', actual: 'no such tensor' });
    return tensor;
  };
  const exported = new Map<string, HostTensor>();
  exported.set(ENCODER_WEIGHT, find('embedding.table'));
  const layout = new Set(config.hiddenSizes).size === 1 ? 'joint' : 'separate';
  for (const layer of config.hiddenSizes.keys()) {
    const names = layerNames(layout, layer);
    const bias = biasToPyTorch(find(`lstm${layer}.b`));
    exported.set(names.inputWeights, gatesToPyTorch(find(`lstm${layer}.wx`)));
    exported.set(names.recurrentWeights, gatesToPyTorch(find(`lstm${layer}.wh`)));
    exported.set(names.inputBias, bias);
    exported.set(names.recurrentBias, { ...bias, values: new Float32Array(bias.values.length) });
  }
  if (!config.tieWeights) exported.set(DECODER_WEIGHT, find('output.w'));
  else if (tiedWeights === 'twice') exported.set(DECODER_WEIGHT, find('embedding.table'));
  exported.set(DECODER_BIAS, find('output.b'));
  return exported;
}
