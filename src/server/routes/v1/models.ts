import { OpenAiModel, OpenAiModelList, OpenAiModelParams } from '../../../contracts/openai.js';
import { findModel, listModels } from '../../../experiments/complete.js';
import type { HttpApp, Uses } from '../../http-app.js';
import { withOpenAiErrors } from '../../openai-error.js';

const TAGS = ['models'];

/** /v1/models */
export default async function modelRoutes(app: HttpApp, { store }: Uses<'store'>): Promise<void> {
  app.get(
    '/models',
    {
      schema: {
        tags: TAGS,
        summary: 'List the experiments with weights, newest first; compatible with OpenAI’s API',
        response: withOpenAiErrors({ 200: OpenAiModelList }),
      },
    },
    async () => ({ object: 'list' as const, data: listModels(store) }),
  );
  app.get(
    '/models/:model',
    {
      schema: {
        tags: TAGS,
        summary: 'Get an experiment by id or name; compatible with OpenAI’s API',
        params: OpenAiModelParams,
        response: withOpenAiErrors({ 200: OpenAiModel }),
      },
    },
    async ({ params }) => findModel(store, params.model),
  );
}
