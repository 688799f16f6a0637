import type { ModelConfig } from '../contracts/model.js';
import { appError } from '../errors.js';
import { createCell } from '../models/create-cell.js';
import { layerName } from '../models/model-parameters.js';
import { pytorchCell } from './pytorch-cells.js';
import { DECODER_BIAS, DECODER_WEIGHT, ENCODER_WEIGHT, layerTensorName } from './pytorch-names.js';
import type { HostTensor } from './safetensors.js';

export interface PyTorchExportOptions {
  /**
   * What becomes of tied weights. twice: `decoder.weight` is written too, so that `load_state_dict` finds every name;
   * once: it is left out, the file is smaller.
   */
  readonly tiedWeights: 'twice' | 'once';
}

/**
 * The weights of a model under PyTorch's names, for an `nn.Embedding`, `nn.LSTM` (see pytorch-cells.ts) and `nn.Linear` as in
 * examples/word_language_model.
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
  const cell = createCell(config.cell);
  for (const [layer, hiddenSize] of config.hiddenSizes.entries()) {
    const names = Object.keys(
      cell.weights(config.hiddenSizes[layer - 1] ?? config.embeddingSize, hiddenSize),
    );
    const weightsOfLayer = names.map((name) => [name, find(`${layerName(cell, layer)}.${name}`)]);
    const tensors = pytorchCell(config.cell).toPyTorch(Object.fromEntries(weightsOfLayer));
    for (const [part, tensor] of Object.entries(tensors))
      exported.set(layerTensorName(layout, layer, part), tensor);
  }
  if (!config.tieWeights) exported.set(DECODER_WEIGHT, find('output.w'));
  else if (tiedWeights === 'twice') exported.set(DECODER_WEIGHT, find('embedding.table'));
  exported.set(DECODER_BIAS, find('output.b'));
  return exported;
}
