import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/run.css';
import { hrefOf } from '../../logic/routes.js';
import { ProblemNotice } from '../components/problem-notice.js';
import { RunCharts } from '../components/run/run-charts.js';
import { RunFigures } from '../components/run/run-figures.js';
import { RunHead } from '../components/run/run-head.js';
import { RunPanels } from '../components/run/run-panels.js';
import { RunTrouble } from '../components/run/run-trouble.js';
import { experiments } from '../state/experiments.js';
import { t } from '../state/language.js';
import { type FollowedRun, followRun } from '../state/run.js';

export function ExperimentPage({ id }: { readonly id: string }) {
  const followed = useSignal<FollowedRun | null>(null);
  useEffect(() => {
    const run = followRun(id);
    followed.value = run;
    return () => run.stop();
  }, [id]);

  const run = followed.value;
  const back = <Back />;
  if (run?.failure.value)
    return (
      <>
        {back}
        <h1 class="visually-hidden">{experiments.value.get(id)?.name ?? id}</h1>
        <ProblemNotice error={run.failure.value} />
      </>
    );
  const experiment = run?.experiment.value;
  if (!run || !experiment)
    return (
      <>
        {back}
        <p class="loading">{t('loading')}</p>
      </>
    );
  return (
    <>
      {back}
      <RunHead experiment={experiment} run={run} />
      <RunTrouble experiment={experiment} run={run} />
      <RunFigures experiment={experiment} />
      <RunCharts experiment={experiment} run={run} />
      <RunPanels experiment={experiment} run={run} />
    </>
  );
}

function Back() {
  return (
    <a class="back" href={hrefOf({ page: 'experiments' })}>
      ← {t('nav.experiments')}
    </a>
  );
}
