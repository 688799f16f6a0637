import { ExperimentConfig } from '../../contracts/experiment-config.js';
import { PresetList } from '../../contracts/http.js';
import { PRESETS, PresetName } from '../../contracts/presets.js';
import { resolveExperimentInput } from '../../contracts/resolve-config.js';
import type { HttpApp } from '../http-app.js';
import { withProblems } from '../problem.js';

/** /presets */
export function routePresets(app: HttpApp): void {
  const items = PresetName.options.map((name) => {
    const { description, source, ptbTestPerplexity, ptbParameterCount } = PRESETS[name];
    const config = ExperimentConfig.strip().parse(resolveExperimentInput({ preset: name }));
    return { name, description, source, ptbTestPerplexity, ptbParameterCount, config };
  });
  app.get(
    '/presets',
    {
      schema: {
        tags: ['experiments'],
        summary: 'Named recipes with the whole config that each makes',
        response: withProblems({ 200: PresetList }),
      },
    },
    async () => ({ items }),
  );
}
