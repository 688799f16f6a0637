import fp from 'fastify-plugin';
import type { HttpApp, Uses } from '../http-app.js';

/** Routes of one experiment. */
const ROUTES = '/experiments/:id';

/** Accepts a name instead of an id in paths; it means the latest experiment of that name. */
export default fp(acceptNames, { name: 'experiment-names' });

async function acceptNames(app: HttpApp, { store }: Uses<'store'>): Promise<void> {
  app.addHook('preValidation', async (request) => {
    const { url = '' } = request.routeOptions;
    if (url !== ROUTES && !url.startsWith(`${ROUTES}/`)) return;
    const params = request.params as { id: string };
    if (store.experiments.find(params.id)) return;
    const named = store.experiments.findByName(params.id);
    if (named) params.id = named.id; // an unknown name stays, so that the error names it
  });
}
