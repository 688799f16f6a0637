import { Experiment } from '../../../../contracts/experiment.js';
import { ExperimentParams, ForkBody, IdempotencyHeaders } from '../../../../contracts/http.js';
import { forkExperiment } from '../../../../experiments/fork-experiment.js';
import type { HttpApp, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { compileValidationButBody } from '../../../validation.js';

/** /experiments/:id/fork */
export default async function forkRoutes(
  app: HttpApp,
  services: Uses<'store' | 'queue' | 'corpora' | 'environment' | 'folder'>,
): Promise<void> {
  app.post(
    '/fork',
    {
      config: { costs: 'training' },
      schema: {
        tags: ['experiments'],
        summary: 'Queue a new experiment that starts from the weights of this one',
        description:
          'The weights and the vocabulary are those of its latest checkpoint, whatever its state; the optimizer state is new and training starts at epoch 1. The body changes the config: another corpus, optimizer, dropout and so on. Changes that do not fit the weights (sizes, tying, tokenizer) are refused. With growVocabulary the words or characters of the corpus that the vocabulary lacks are added; their embeddings begin as the mean of the others.',
        params: ExperimentParams,
        headers: IdempotencyHeaders,
        body: ForkBody,
        response: withProblems({ 201: Experiment }),
      },
      validatorCompiler: compileValidationButBody,
    },
    async ({ params, body, headers }, reply) => {
      const key = headers['idempotency-key'];
      const { experiment, isNew } = await forkExperiment(
        services,
        services.environment.dataDir,
        params.id,
        body,
        key,
      );
      if (!isNew) reply.header('idempotent-replayed', 'true');
      return reply.code(201).header('location', `/experiments/${experiment.id}`).send(experiment);
    },
  );
}
