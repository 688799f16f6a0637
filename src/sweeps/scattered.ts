import type { SweepPoint } from '../contracts/sweep.js';
import type { Observation, Proposer } from './proposer.js';
import { buildPoint, pointKey, type Setting } from './search-space.js';
import { createSobol } from './sobol.js';

/** Maximum points of the sequence to try until one is new. */
const MAX_ATTEMPTS = 10_000;

/** Proposes quasi-random points that cover the space evenly; none twice. */
export function createScatteredProposer(settings: readonly Setting[], seed: number): Proposer {
  const sobol = createSobol(settings.length, seed);
  return {
    propose(index, history) {
      const tried = triedPoints(settings, history);
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const point = pointAt(settings, sobol(index + attempt));
        if (!tried.has(pointKey(settings, point))) return point;
      }
      return null;
    },
  };
}

/** The keys of the points that have been tried. */
export function triedPoints(settings: readonly Setting[], history: readonly Observation[]): Set<string> {
  return new Set(history.map(({ point }) => pointKey(settings, point)));
}

/** The point for coordinates in [0, 1). */
export function pointAt(settings: readonly Setting[], places: readonly number[]): SweepPoint {
  return buildPoint(settings, (setting, index) => {
    const place = places[index]!;
    return setting.kind === 'number'
      ? setting.valueAt(place)
      : setting.values[Math.floor(place * setting.values.length)]!;
  });
}
