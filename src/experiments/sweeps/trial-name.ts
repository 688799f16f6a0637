import { shortSetting } from '../../contracts/config-differences.js';
import type { SweepPoint } from '../../contracts/sweep.js';
import { withSettings } from '../default-name.js';

/** The name of a trial's experiment: its sweep, its number, its settings by the last part of their paths. */
export function trialName(sweep: string, trial: number, point: SweepPoint, seed: number | null): string {
  const settings = Object.entries(point).map(([path, value]) => shortSetting(path, value));
  return withSettings(`${sweep} #${trial}`, [...(seed === null ? [] : [`seed ${seed}`]), ...settings]);
}
