import { describePreset, PresetList } from '../../contracts/preset-list.js';
import { PresetName } from '../../contracts/presets.js';
import type { HttpApp } from '../http-app.js';
import { withProblems } from '../problem.js';

/** /presets */
export default async function presetRoutes(app: HttpApp): Promise<void> {
  const items = PresetName.options.map(describePreset);
  app.get(
    '/presets',
    {
      schema: {
        tags: ['experiments'],
        summary: 'List the named recipes with their complete configs',
        response: withProblems({ 200: PresetList }),
      },
    },
    async () => ({ items }),
  );
}
