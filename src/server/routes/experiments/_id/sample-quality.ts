import { ExperimentParams } from '../../../../contracts/http.js';
import { SampleQuality, SampleQualityRequest } from '../../../../contracts/sample-quality.js';
import { sampleQuality } from '../../../../experiments/use-model.js';
import type { HttpApp, ModelParts, Uses } from '../../../http-app.js';
import { withProblems } from '../../../problem.js';
import { clientSignal } from '../../../streams/client-signal.js';

/** /experiments/:id/sample-quality */
export default async function sampleQualityRoutes(app: HttpApp, services: Uses<ModelParts>): Promise<void> {
  app.get(
    '/sample-quality',
    {
      config: { costs: 'inference' },
      schema: {
        tags: ['models'],
        summary:
          'Whether a model learned or memorized: how varied its samples are, how much of them is copied',
        description:
          'Writes a sample at each temperature and holds it against the training text. A model that memorized has a copiedShare far above that of the test split; one that learned too little has a low distinct-4.',
        params: ExperimentParams,
        querystring: SampleQualityRequest,
        response: withProblems({ 200: SampleQuality }),
      },
    },
    async ({ params, query }, reply) =>
      sampleQuality(services, params.id, query, { signal: clientSignal(reply) }),
  );
}
