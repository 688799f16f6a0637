import { useEffect } from 'preact/hooks';
import { needsKey } from './api/key.js';
import { lazyPage } from './components/lazy-page.js';
import { Login } from './components/login.js';
import { Notices } from './components/notices.js';
import { Shell } from './components/shell.js';
import { ExperimentsPage } from './pages/experiments.js';
import { route } from './state/router.js';

const ExperimentPage = lazyPage(async () => (await import('./pages/experiment.js')).ExperimentPage);

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
    default:
      return <ExperimentsPage />;
  }
}
