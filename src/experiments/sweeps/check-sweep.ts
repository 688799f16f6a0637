import type { SweepInput } from '../../contracts/sweep.js';
import { validationError } from '../../contracts/validation.js';
import { resolveSweepInput } from '../../sweeps/resolve-sweep.js';
import type { Corpora } from '../corpora.js';
import { trialsWithin } from './build-schedule.js';

/**
 * The body of POST /sweeps with all defaults filled in, including the name.
 * @throws validation-failed, corpus-not-found
 */
export async function checkSweep(corpora: Corpora, body: unknown): Promise<SweepInput & { name: string }> {
  const sweep = resolveSweepInput(body);
  if (trialsWithin(sweep) < 1) {
    const message = `allows no trial of ${sweep.seedsPerPoint} seeds`;
    throw validationError([{ path: 'limits.experiments', message }], 'The sweep');
  }
  await corpora.assertExists(sweep.corpus);
  return { ...sweep, name: sweep.name ?? defaultName(sweep) };
}

function defaultName({ space, strategy, corpus }: SweepInput): string {
  const settings = Object.keys(space).map((path) => path.slice(path.lastIndexOf('.') + 1));
  return `${strategy.type} over ${settings.join(', ')} on ${corpus}`.slice(0, 200);
}
