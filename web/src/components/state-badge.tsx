import type { ExperimentState } from '../../../src/contracts/experiment.js';
import { t } from '../state/language.js';

export function StateBadge({ state }: { readonly state: ExperimentState }) {
  return <span class={`badge state-${state}`}>{t(`state.${state}`)}</span>;
}
