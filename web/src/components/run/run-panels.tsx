import { useSignal } from '@preact/signals';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import { t } from '../../state/language.js';
import type { FollowedRun } from '../../state/run.js';
import { Tabs } from '../tabs.js';
import { RunCheckpoints } from './run-checkpoints.js';
import { RunConfig } from './run-config.js';
import { RunEvents } from './run-events.js';
import { RunSamples } from './run-samples.js';

interface RunPanelsProps {
  readonly experiment: Experiment;
  readonly run: FollowedRun;
}

const PANELS = ['samples', 'config', 'events', 'checkpoints'] as const;
type Panel = (typeof PANELS)[number];

export function RunPanels({ experiment, run }: RunPanelsProps) {
  const panel = useSignal<Panel>('samples');
  return (
    <section class="card run-panels">
      <Tabs
        label={t('run.panels')}
        tabs={PANELS.map((name) => ({ name, text: t(`panel.${name}`) }))}
        chosen={panel.value}
        onChoose={(name) => {
          panel.value = name;
        }}
      >
        {panel.value === 'samples' && <RunSamples id={experiment.id} run={run} />}
        {panel.value === 'config' && <RunConfig experiment={experiment} />}
        {panel.value === 'events' && <RunEvents run={run} />}
        {panel.value === 'checkpoints' && <RunCheckpoints experiment={experiment} />}
      </Tabs>
    </section>
  );
}
