import type { SweepPoint } from '../../contracts/sweep.js';

/** The longest name of an experiment. */
const MAX_NAME = 200;

/** What a trial's experiment is called: its sweep, its number, its settings by the last part of their paths. */
export function trialName(sweep: string, trial: number, point: SweepPoint, seed: number | null): string {
  const settings = Object.entries(point).map(([path, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${path.slice(path.lastIndexOf('.') + 1)} ${text}`;
  });
  const name = `${sweep} #${trial}: ${[...settings, ...(seed === null ? [] : [`seed ${seed}`])].join(', ')}`;
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
}
