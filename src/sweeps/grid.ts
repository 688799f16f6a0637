import type { SweepPoint } from '../contracts/sweep.js';
import type { Proposer } from './proposer.js';
import { applies, type Setting } from './search-space.js';

/** Proposes every combination of the settings' levels; the last setting varies fastest. */
export function createGridProposer(settings: readonly Setting[]): Proposer {
  const points = gridPoints(settings);
  const known: SweepPoint[] = [];
  return {
    propose(index) {
      while (known.length <= index) {
        const next = points.next();
        if (next.done) return null;
        known.push(next.value);
      }
      return known[index]!;
    },
  };
}

/** Generates the combinations one by one: there may be too many for memory. */
export function* gridPoints(
  settings: readonly Setting[],
  start: SweepPoint = {},
): Generator<SweepPoint, undefined> {
  const [setting, ...rest] = settings;
  if (!setting) yield start;
  else if (!applies(setting, start)) yield* gridPoints(rest, start);
  else {
    const values = setting.kind === 'choice' ? setting.values : setting.gridValues();
    for (const value of values) yield* gridPoints(rest, { ...start, [setting.path]: value });
  }
}
