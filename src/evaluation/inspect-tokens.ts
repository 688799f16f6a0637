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
import { GATE_ORDER } from '../layers/lstm-cell.js';
import type { Inspection, LanguageModel, TokenBatch } from '../models/language-model.js';
import { likeliestIds, logNormalizer } from '../models/logits.js';

export type InspectionRequest = Pick<ScoreRequest, 'alternatives' | 'units'>;

const GATE_NAMES = { f: 'forget', g: 'candidate', i: 'input', o: 'output' } as const;
type GateName = (typeof GATE_NAMES)[keyof typeof GATE_NAMES];

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
  const row = (values: Float32Array, index: number) => values.subarray(index * size, (index + 1) * size);
  return {
    ...ofEachGate((gate) => summarize(row(gates, 4 * time + gate))),
    cell: summarize(row(cells, time)),
    hidden: summarize(row(hiddens, time)),
  };
}

/** @param read takes the place of a gate in a packed row */
function ofEachGate<Value>(read: (place: number) => Value): Record<GateName, Value> {
  const entries = GATE_ORDER.map((gate, place) => [GATE_NAMES[gate], read(place)]);
  return Object.fromEntries(entries) as Record<GateName, Value>;
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
  return {
    layer,
    unit,
    ...ofEachGate((gate) => gates[(4 * time + gate) * size + unit]!),
    cell: cells[time * size + unit]!,
    hidden: hiddens[time * size + unit]!,
  };
}

function likeliest(
  logits: Float32Array,
  count: number,
  vocabulary: Vocabulary,
): TokenInspection['alternatives'] {
  const normalizer = logNormalizer(logits);
  return Array.from(likeliestIds(logits, Math.min(count, logits.length)), (id) => ({
    token: vocabulary.token(id),
    surprisal: normalizer - logits[id]!,
  }));
}
