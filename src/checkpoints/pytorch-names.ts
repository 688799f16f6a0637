/** Names of the tensors in PyTorch's examples/word_language_model, and how they follow from the sizes of the layers. */

/** The embedding table, [V, D]. */
export const ENCODER_WEIGHT = 'encoder.weight';
/** The output weights, [V, H]; the same as the embedding table, or left out, where they are tied. */
export const DECODER_WEIGHT = 'decoder.weight';
/** The output bias, [V]. */
export const DECODER_BIAS = 'decoder.bias';

/**
 * joint: one module such as `nn.LSTM` of L layers of equal size, `rnn.weight_ih_l1`; separate: an `nn.ModuleList` of modules of one layer,
 * `rnns.1.weight_ih_l0`, the only way in which PyTorch has layers of different sizes.
 */
export type PyTorchLayout = 'joint' | 'separate';

/** @param part of a layer's tensors, such as `weight_ih` */
export function layerTensorName(layout: PyTorchLayout, layer: number, part: string): string {
  return layout === 'joint' ? `rnn.${part}_l${layer}` : `rnns.${layer}.${part}_l0`;
}
