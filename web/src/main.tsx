import { render } from 'preact';
import './styles/base.css';
import './styles/shell.css';
import './styles/controls.css';
import './styles/experiments.css';
import { App } from './app.js';
import { startPolling } from './state/experiments.js';
import { startLanguage } from './state/language.js';
import { startRouter } from './state/router.js';
import { startTheme } from './state/theme.js';

startTheme();
startRouter();
await startLanguage();
render(<App />, document.getElementById('app')!);
startPolling();
