import {
  type ActivationSummary,
  type LayerInspection,
  MAX_INSPECTED,
  type ScoreRequest,
  type TokenInspection,
  type UnitInspection,
} from '../contracts/score.js';
import { appError } from '../errors.js';
import { GATE_ORDER } from '../layers/lstm-cell.js';
import type { Inspection, LanguageModel, TokenBatch } from '../models/language-model.js';
import { likeliestIds, logNormalizer } from '../models/logits.js';
import { SeparateState } from '../models/separate-state.js';
import type { Vocabulary } from '../tokenizers/vocabulary.js';
import type { TokenReader } from './text-scorer.js';

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
  if (tokens <= MAX_INSPECTED) return;
  const reason = `the text has ${tokens} tokens; at most ${MAX_INSPECTED} can be looked into`;
  throw appError('config-conflict', { field: 'inspect', reason });
}

/** Tokens read at once: their gates and logits are held in memory. */
const BLOCK = 128;

/** Reads one text from its beginning and shows what goes on inside. The model's own state is as before after each call. */
export class InspectingReader implements TokenReader {
  readonly blockLength = BLOCK;
  readonly #model: LanguageModel;
  readonly #vocabulary: Vocabulary;
  readonly #request: InspectionRequest;
  readonly #state: SeparateState;
  #inside: readonly TokenInspection[] = [];

  /** @param model borrowed until {@link dispose} */
  constructor(model: LanguageModel, vocabulary: Vocabulary, request: InspectionRequest) {
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#request = request;
    this.#state = new SeparateState(model);
  }

  get inside(): readonly TokenInspection[] {
    return this.#inside;
  }

  /** @throws config-conflict for a unit that the model lacks */
  read(batch: TokenBatch): Float32Array {
    const inspection = this.#state.use(() => this.#model.inspect(batch));
    this.#inside = describeTokens(inspection, batch.time, this.#vocabulary, this.#request);
    return inspection.losses;
  }

  dispose(): void {
    this.#state.dispose();
  }
}

function describeTokens(
  inspection: Inspection,
  time: number,
  vocabulary: Vocabulary,
  request: InspectionRequest,
): TokenInspection[] {
  const { logits, layers } = takeValues(inspection);
  assertUnits(request, layers);
  const { size } = vocabulary;
  return Array.from({ length: time }, (_, t) => ({
    layers: layers.map((layer) => summarizeLayer(layer, t)),
    units: request.units.map(({ layer, unit }) => showUnit(layers[layer]!, layer, unit, t)),
    alternatives: likeliest(logits.subarray(t * size, (t + 1) * size), request.alternatives, vocabulary),
  }));
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
