import { z } from 'zod';
import { Experiment } from '../../../../contracts/experiment.js';
import {
  ContinueBody,
  EditExperimentBody,
  ExperimentParams,
  ForkBody,
  IdempotencyHeaders,
} from '../../../../contracts/http.js';
import {
  cancelExperiment,
  continueExperiment,
  deleteExperiment,
  editExperiment,
  killExperiment,
  pauseExperiment,
  resumeExperiment,
  retryExperiment,
} from '../../../../experiments/control-experiment.js';
import { viewExperiment } from '../../../../experiments/experiment-view.js';
import { findExperiment } from '../../../../experiments/find-experiment.js';
import { forkExperiment } from '../../../../experiments/fork-experiment.js';
import type { Services } from '../../../../experiments/services.js';
import type { HttpApp } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { compileValidationButBody } from '../../../validation.js';

const TAGS = ['experiments'];
const VERBS = {
  cancel: {
    run: cancelExperiment,
    summary: 'End an experiment for good; its best weights so far stay usable',
  },
  kill: {
    run: killExperiment,
    summary: 'End an experiment now, without a last checkpoint; for one that does not heed a cancel',
  },
  pause: { run: pauseExperiment, summary: 'Write a checkpoint at the next step and free the slot' },
  resume: {
    run: resumeExperiment,
    summary: 'Queue a paused or interrupted experiment again; it goes on from its latest checkpoint',
  },
  retry: {
    run: retryExperiment,
    summary:
      'Queue an experiment again that failed, was cancelled or was interrupted; it goes on from its latest checkpoint, if it has one',
  },
} as const;
const VERB_DESCRIPTION =
  'Asking twice is asking once. An experiment in a state that the verb does not fit answers 409.';

/** /experiments/:id and its verbs */
export function routeExperiment(app: HttpApp, services: Services): void {
  const { store, environment } = services;
  app.get(
    '/experiments/:id',
    {
      schema: {
        tags: TAGS,
        summary: 'One experiment, with its latest and best metrics',
        params: ExperimentParams,
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params }) => viewExperiment(store, findExperiment(store, params.id)),
  );

  app.patch(
    '/experiments/:id',
    {
      schema: {
        tags: TAGS,
        summary: 'Change name, tags, notes or priority',
        params: ExperimentParams,
        body: EditExperimentBody.meta({ examples: [{ name: 'A better name', tags: ['paper'] }] }),
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params, body }) => editExperiment(store, params.id, body),
  );

  app.delete(
    '/experiments/:id',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Delete an experiment with its events, metrics and files',
        params: ExperimentParams,
        response: withProblems({ 204: z.undefined().describe('Deleted') }),
      },
    },
    async ({ params }, reply) => {
      await deleteExperiment(services, environment.dataDir, params.id);
      return reply.code(204).send();
    },
  );

  for (const [verb, { run, summary }] of Object.entries(VERBS)) {
    app.post(
      `/experiments/:id/${verb}`,
      {
        schema: {
          tags: TAGS,
          summary,
          description: VERB_DESCRIPTION,
          params: ExperimentParams,
          response: withProblems({ 200: Experiment }),
        },
      },
      async ({ params }) => run(services, params.id),
    );
  }

  app.post(
    '/experiments/:id/continue',
    {
      schema: {
        tags: TAGS,
        summary: 'Train an experiment that succeeded for more epochs, from where it ended',
        description: `${VERB_DESCRIPTION} Early stopping and the longest time no longer hold: the epochs are done. Schedules that run over all epochs (cosine, one-cycle) are stretched over the longer training.`,
        params: ExperimentParams,
        body: ContinueBody.meta({ examples: [{ epochs: 5 }] }),
        response: withProblems({ 200: Experiment }),
      },
    },
    async ({ params, body }) => continueExperiment(services, environment.dataDir, params.id, body),
  );

  app.post(
    '/experiments/:id/fork',
    {
      config: { costs: 'training' },
      schema: {
        tags: TAGS,
        summary: 'Queue a new experiment that begins with the weights of this one',
        description:
          'Its latest checkpoint gives the weights and the vocabulary, at whatever state it is; the optimizer begins anew, at epoch 1. The body changes the config: another corpus, optimizer, dropout and so on. What does not fit the weights (sizes, tying, tokenizer) is refused.',
        params: ExperimentParams,
        headers: IdempotencyHeaders,
        body: ForkBody.meta({ examples: [{ optimizer: { learningRate: 1 }, training: { epochs: 2 } }] }),
        response: withProblems({ 201: Experiment }),
      },
      validatorCompiler: compileValidationButBody,
    },
    async ({ params, body, headers }, reply) => {
      const key = headers['idempotency-key'];
      const { experiment, isNew } = await forkExperiment(services, environment.dataDir, params.id, body, key);
      if (!isNew) reply.header('idempotent-replayed', 'true');
      return reply.code(201).header('location', experiment.links.self!).send(experiment);
    },
  );
}
