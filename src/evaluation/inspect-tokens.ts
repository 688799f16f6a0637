import {
  type ActivationSummary,
  type LayerInspection,
  MOST_INSPECTED,
  type ScoreRequest,
  type TokenInspection,
  type UnitInspection,
} from '../contracts/generation.js';
import type { Vocabulary } from '../corpus/vocabulary.js';
import { appError } from '../errors.js';
import type { Inspection, LanguageModel, TokenBatch } from '../models/language-model.js';

export type InspectionRequest = Pick<ScoreRequest, 'alternatives' | 'units'>;

/** f, g, i, o: the order in which a layer packs its gates (layers/lstm-cell.ts). */
const GATES = ['forget', 'candidate', 'input', 'output'] as const;

/** A layer's values as plain arrays. */
interface LayerValues {
  readonly size: number;
  readonly gates: Float32Array; // [T, 4H]
  readonly cells: Float32Array; // [T, H]
  readonly hiddens: Float32Array; // [T, H]
}

/** @throws config-conflict when the text has more tokens than can be shown */
export function assertInspectable(tokens: number): void {
  if (tokens <= MOST_INSPECTED) return;
  const reason = `the text has ${tokens} tokens; at most ${MOST_INSPECTED} can be looked into`;
  throw appError('config-conflict', { field: 'inspect', reason });
}

/**
 * What goes on inside while a batch of one stream is read.
 * @returns losses in nats, and one inspection a token
 * @throws config-conflict for a unit that the model lacks
 */
export function inspectTokens(
  model: LanguageModel,
  vocabulary: Vocabulary,
  batch: TokenBatch,
  request: InspectionRequest,
): { losses: Float32Array; tokens: TokenInspection[] } {
  const inspection = model.inspect(batch);
  const { losses } = inspection;
  const { logits, layers } = takeValues(inspection);
  assertUnits(request, layers);
  const size = vocabulary.size;
  const tokens = Array.from({ length: batch.time }, (_, time) => ({
    layers: layers.map((layer) => summarizeLayer(layer, time)),
    units: request.units.map(({ layer, unit }) => showUnit(layers[layer]!, layer, unit, time)),
    alternatives: likeliest(
      logits.subarray(time * size, (time + 1) * size),
      request.alternatives,
      vocabulary,
    ),
  }));
  return { losses, tokens };
}

function takeValues({ logits, layers }: Inspection): { logits: Float32Array; layers: LayerValues[] } {
  const values = {
    logits: logits.dataSync<'float32'>(),
    layers: layers.map(({ gates, cells, hiddens }) => ({
      size: hiddens.shape[2],
      gates: gates.dataSync<'float32'>(),
      cells: cells.dataSync<'float32'>(),
      hiddens: hiddens.dataSync<'float32'>(),
    })),
  };
  for (const tensor of [logits, ...layers.flatMap((layer) => Object.values(layer))]) tensor.dispose();
  return values;
}

function assertUnits({ units }: InspectionRequest, layers: readonly LayerValues[]): void {
  for (const { layer, unit } of units) {
    const size = layers[layer]?.size;
    if (size !== undefined && unit < size) continue;
    const has = layers.map(({ size }) => size).join(', ');
    const reason = `there is no unit ${unit} in layer ${layer}; the layers have ${has} units`;
    throw appError('config-conflict', { field: 'units', reason });
  }
}

function summarizeLayer({ size, gates, cells, hiddens }: LayerValues, time: number): LayerInspection {
  const [forget, candidate, input, output] = GATES.map((_, gate) =>
    summarize(gates.subarray((4 * time + gate) * size, (4 * time + gate + 1) * size)),
  ) as [ActivationSummary, ActivationSummary, ActivationSummary, ActivationSummary];
  const [cell, hidden] = [cells, hiddens].map((values) =>
    summarize(values.subarray(time * size, (time + 1) * size)),
  ) as [ActivationSummary, ActivationSummary];
  return { forget, candidate, input, output, cell, hidden };
}

function summarize(values: Float32Array): ActivationSummary {
  let [sum, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return { mean: sum / values.length, min, max };
}

function showUnit(
  { size, gates, cells, hiddens }: LayerValues,
  layer: number,
  unit: number,
  time: number,
): UnitInspection {
  const gate = (index: number) => gates[(4 * time + index) * size + unit]!;
  return {
    layer,
    unit,
    forget: gate(0),
    candidate: gate(1),
    input: gate(2),
    output: gate(3),
    cell: cells[time * size + unit]!,
    hidden: hiddens[time * size + unit]!,
  };
}

function likeliest(
  logits: Float32Array,
  count: number,
  vocabulary: Vocabulary,
): TokenInspection['alternatives'] {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const normalizer = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return [...logits.keys()]
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, count)
    .map((id) => ({ token: vocabulary.token(id), surprisal: normalizer - logits[id]! }));
}
