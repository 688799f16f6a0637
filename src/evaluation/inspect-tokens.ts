import {
  type ActivationSummary,
  MAX_INSPECTED,
  type ScoreRequest,
  type TokenInspection,
} from '../contracts/score.js';
import { appError } from '../errors.js';
import type { Inspection, LanguageModel, TokenBatch } from '../models/language-model.js';
import { SeparateState } from '../models/separate-state.js';
import { likeliestIds, logNormalizer } from '../tensor/logits.js';
import type { Vocabulary } from '../tokenizers/vocabulary.js';
import type { TokenReader } from './text-scorer.js';

export type InspectionRequest = Pick<ScoreRequest, 'alternatives' | 'units' | 'ablate'>;

/** The channels of a layer by name, [T, H] each. */
type LayerValues = ReadonlyMap<string, { readonly size: number; readonly values: Float32Array }>;

/** @throws config-conflict when the text has too many tokens for inspection */
export function assertInspectable(tokens: number): void {
  if (tokens <= MAX_INSPECTED) return;
  const reason = `the text has ${tokens} tokens; at most ${MAX_INSPECTED} can be inspected`;
  throw appError('config-conflict', { field: 'inspect', reason });
}

/** Tokens per block; limits memory for gates and logits. */
const BLOCK = 128;

/** Reads one text from its beginning and records activations. The state of the model is unchanged after each call. */
export class InspectingReader implements TokenReader {
  readonly blockLength = BLOCK;
  readonly #model: LanguageModel;
  readonly #vocabulary: Vocabulary;
  readonly #request: InspectionRequest;
  readonly #state: SeparateState;
  /** By layer. */
  readonly #ablated: readonly (readonly number[])[];
  #inside: readonly TokenInspection[] = [];

  /** @param model borrowed until {@link dispose} */
  constructor(model: LanguageModel, vocabulary: Vocabulary, request: InspectionRequest) {
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#request = request;
    this.#state = new SeparateState(model);
    this.#ablated = unitsByLayer(request.ablate);
  }

  get inside(): readonly TokenInspection[] {
    return this.#inside;
  }

  /** @throws config-conflict for a unit that does not exist */
  read(batch: TokenBatch): Float32Array {
    const inspection = this.#state.use(() => this.#model.inspect(batch, this.#ablated));
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
    layers: layers.map((channels) => ofEachChannel(channels, t, summarize)),
    units: request.units.map(({ layer, unit }) => ({
      layer,
      unit,
      ...ofEachChannel(layers[layer]!, t, (row) => row[unit]!),
    })),
    alternatives: likeliest(logits.subarray(t * size, (t + 1) * size), request.alternatives, vocabulary),
  }));
}

function takeValues({ logits, layers }: Inspection): { logits: Float32Array; layers: LayerValues[] } {
  const values = {
    logits: logits.dataSync<'float32'>(),
    layers: layers.map(
      (channels): LayerValues =>
        new Map(
          Object.entries(channels).map(([name, tensor]) => [
            name,
            { size: tensor.shape[2], values: tensor.dataSync<'float32'>() },
          ]),
        ),
    ),
  };
  for (const tensor of [logits, ...layers.flatMap((layer) => Object.values(layer))]) tensor.dispose();
  return values;
}

function unitsByLayer(ablate: InspectionRequest['ablate']): number[][] {
  const byLayer: number[][] = [];
  for (const { layer, units } of ablate) byLayer[layer] = [...(byLayer[layer] ?? []), ...units];
  return byLayer;
}

function assertUnits({ units, ablate }: InspectionRequest, layers: readonly LayerValues[]): void {
  const sizes = layers.map((channels) => channels.values().next().value?.size ?? 0);
  const ablated = ablate.flatMap(({ layer, units }) => units.map((unit) => ({ layer, unit })));
  for (const [field, named] of Object.entries({ units, ablate: ablated })) {
    for (const { layer, unit } of named) {
      const size = sizes[layer];
      if (size !== undefined && unit < size) continue;
      const reason = `there is no unit ${unit} in layer ${layer}; the layers have ${sizes.join(', ')} units`;
      throw appError('config-conflict', { field, reason });
    }
  }
}

/** @param read receives the values of a channel at one token */
function ofEachChannel<Value>(
  channels: LayerValues,
  time: number,
  read: (row: Float32Array) => Value,
): Record<string, Value> {
  const entries = Array.from(channels, ([name, { size, values }]) => [
    name,
    read(values.subarray(time * size, (time + 1) * size)),
  ]);
  return Object.fromEntries(entries);
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
