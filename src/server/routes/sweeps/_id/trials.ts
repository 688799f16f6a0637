import { z } from 'zod';
import {
  SweepParams,
  type SweepTrial,
  SweepTrialList,
  SweepTrialsQuery,
} from '../../../../contracts/sweep-view.js';
import type { Services } from '../../../../experiments/services.js';
import { findSweep } from '../../../../experiments/sweeps/find-sweep.js';
import { compareByValue, viewTrials } from '../../../../experiments/sweeps/view-trials.js';
import { chooseFormat } from '../../../accept.js';
import { csvLine } from '../../../csv-line.js';
import type { HttpApp } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';

const TYPES = { json: 'application/json', csv: 'text/csv' } as const;
const CSV_EXAMPLE =
  'trial,state,epochs,value,bestEpoch,optimizer.learningRate,experiments\n7,finished,9,4.71,9,12.3,01m89q4d7dz5b7hca4\n';

/** /sweeps/:id/trials */
export default async function trialsRoutes(app: HttpApp, { store }: Pick<Services, 'store'>): Promise<void> {
  app.get(
    '/trials',
    {
      schema: {
        tags: ['sweeps'],
        summary: 'List the trials of a sweep as JSON or CSV',
        description:
          'The format is chosen by Accept or ?format=. CSV has a column for each setting, named by its path.',
        params: SweepParams,
        querystring: SweepTrialsQuery,
        response: withProblems({
          200: {
            description: 'One row per trial',
            content: {
              [TYPES.json]: { schema: SweepTrialList },
              [TYPES.csv]: { schema: z.string().meta({ examples: [CSV_EXAMPLE] }) },
            },
          },
        }),
      },
    },
    async ({ params, query, headers }, reply) => {
      const sweep = findSweep(store, params.id);
      const trials = viewTrials(store, sweep);
      if (query.sort === 'value') trials.sort(compareByValue);
      if (chooseFormat(reply, TYPES, query.format, headers.accept) === 'json')
        return reply.send({ items: trials } as never);
      return reply.send(toCsv(Object.keys(sweep.input.space), trials) as never);
    },
  );
}

function toCsv(paths: readonly string[], trials: readonly SweepTrial[]): string {
  const head = ['trial', 'state', 'epochs', 'value', 'bestEpoch', ...paths, 'experiments'];
  const rows = trials.map(({ trial, state, epochs, value, bestEpoch, point, experimentIds }) => [
    trial,
    state,
    epochs,
    value,
    bestEpoch,
    ...paths.map((path) => point[path]),
    experimentIds.join(' '),
  ]);
  return [head, ...rows].map(csvLine).join('');
}
