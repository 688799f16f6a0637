/** Names of the tensors in PyTorch's examples/word_language_model, and how they follow from the sizes of the layers. */

/** The embedding table, [V, D]. */
export const ENCODER_WEIGHT = 'encoder.weight';
/** The output weights, [V, H]; the same as the embedding table, or left out, where they are tied. */
export const DECODER_WEIGHT = 'decoder.weight';
/** The output bias, [V]. */
export const DECODER_BIAS = 'decoder.bias';

/** The four tensors of an LSTM layer: [4H, D], [4H, H], [4H], [4H]; gates in the order i, f, g, o. */
export interface PyTorchLayerNames {
  readonly inputWeights: string;
  readonly recurrentWeights: string;
  readonly inputBias: string;
  readonly recurrentBias: string;
}

/**
 * joint: one `nn.LSTM` of L layers of equal size, `rnn.weight_ih_l1`; separate: an `nn.ModuleList` of one-layer LSTMs,
 * `rnns.1.weight_ih_l0`, the only way in which PyTorch has layers of different sizes.
 */
export type PyTorchLayout = 'joint' | 'separate';

export function layerNames(layout: PyTorchLayout, layer: number): PyTorchLayerNames {
  const prefix = layout === 'joint' ? 'rnn' : `rnns.${layer}`;
  const index = layout === 'joint' ? layer : 0;
  return {
    inputWeights: `${prefix}.weight_ih_l${index}`,
    recurrentWeights: `${prefix}.weight_hh_l${index}`,
    inputBias: `${prefix}.bias_ih_l${index}`,
    recurrentBias: `${prefix}.bias_hh_l${index}`,
  };
}
