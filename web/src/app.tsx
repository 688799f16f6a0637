import { useEffect } from 'preact/hooks';
import { needsKey } from './api/key.js';
import { lazyPage } from './components/lazy-page.js';
import { Login } from './components/login.js';
import { Notices } from './components/notices.js';
import { Shell } from './components/shell.js';
import { ExperimentsPage } from './pages/experiments.js';
import { route } from './state/router.js';

const ExperimentPage = lazyPage(async () => (await import('./pages/experiment.js')).ExperimentPage);
const NewExperimentPage = lazyPage(async () => (await import('./pages/new-experiment.js')).NewExperimentPage);
const ComparePage = lazyPage(async () => (await import('./pages/compare.js')).ComparePage);
const PlaygroundPage = lazyPage(async () => (await import('./pages/playground.js')).PlaygroundPage);
const InspectorPage = lazyPage(async () => (await import('./pages/inspector.js')).InspectorPage);
const CorporaPage = lazyPage(async () => (await import('./pages/corpora.js')).CorporaPage);
const SweepsPage = lazyPage(async () => (await import('./pages/sweeps.js')).SweepsPage);
const MachinePage = lazyPage(async () => (await import('./pages/machine.js')).MachinePage);

export function App() {
  const shown = route.value;
  useEffect(() => {
    document.getElementById('main')?.scrollTo(0, 0);
  }, [shown]);
  return (
    <>
      {needsKey.value ? (
        <Login />
      ) : (
        <Shell>
          <Page />
        </Shell>
      )}
      <Notices />
    </>
  );
}

function Page() {
  const shown = route.value;
  switch (shown.page) {
    case 'experiment':
      return <ExperimentPage key={shown.id} id={shown.id} />;
    case 'new':
      return <NewExperimentPage fork={shown.fork} preset={shown.preset} />;
    case 'compare':
      return <ComparePage ids={shown.ids} />;
    case 'playground':
      return <PlaygroundPage experiment={shown.experiment} />;
    case 'inspector':
      return <InspectorPage experiment={shown.experiment} />;
    case 'corpora':
      return <CorporaPage name={shown.name} />;
    case 'sweeps':
      return <SweepsPage id={shown.id} />;
    case 'machine':
      return <MachinePage />;
    case 'experiments':
      return <ExperimentsPage />;
  }
}
