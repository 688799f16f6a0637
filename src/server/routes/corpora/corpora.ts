import { CorpusList } from '../../../contracts/http.js';
import type { HttpApp, Uses } from '../../http-app.js';
import { withProblems } from '../../problem.js';

/** /corpora */
export default async function corporaRoutes(app: HttpApp, { corpora }: Uses<'corpora'>): Promise<void> {
  app.get(
    '',
    { schema: { tags: ['corpora'], summary: 'List corpora', response: withProblems({ 200: CorpusList }) } },
    async () => ({ items: await corpora.list() }),
  );
}
