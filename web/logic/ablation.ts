/** Units that are switched off, and what that does to a text. */
import type { TextToken } from './scored-text.js';

/** One unit of a layer, both counted from 0. */
export interface Unit {
  readonly layer: number;
  readonly unit: number;
}

/** With the unit if it was not there, else without it. */
export function toggleUnit(units: readonly Unit[], { layer, unit }: Unit): readonly Unit[] {
  const others = units.filter((one) => one.layer !== layer || one.unit !== unit);
  return others.length < units.length ? others : [...units, { layer, unit }];
}

/** As a request names them. */
export function ablateOf(units: readonly Unit[]): { layer: number; units: number[] }[] {
  const layers = [...new Set(units.map(({ layer }) => layer))].sort((a, b) => a - b);
  return layers.map((layer) => ({
    layer,
    units: units.filter((one) => one.layer === layer).map(({ unit }) => unit),
  }));
}

/** Nats that each token became more surprising, below 0 less, and the means of the text. */
export interface AblationEffect {
  readonly changes: readonly number[];
  readonly before: number;
  readonly after: number;
}

/** @param ablated the same tokens, read with units switched off */
export function ablationEffect(whole: readonly TextToken[], ablated: readonly TextToken[]): AblationEffect {
  const changes = whole.map(
    ({ scored }, index) => (ablated[index]?.scored.surprisal ?? scored.surprisal) - scored.surprisal,
  );
  return { changes, before: meanSurprisal(whole), after: meanSurprisal(ablated) };
}

function meanSurprisal(tokens: readonly TextToken[]): number {
  return tokens.reduce((sum, { scored }) => sum + scored.surprisal, 0) / Math.max(1, tokens.length);
}
