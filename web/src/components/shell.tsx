import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { MessageKey } from '../../logic/messages/translate.js';
import { hrefOf, type PageName, type Route } from '../../logic/routes.js';
import { apiKey, needsKey, setKey } from '../api/key.js';
import { isOnline } from '../api/request.js';
import { chooseLanguage, LANGUAGES, type Language, language, t } from '../state/language.js';
import { route } from '../state/router.js';
import { chooseTheme, THEMES, type Theme, theme } from '../state/theme.js';
import { Icon, type IconName } from './icons.js';

interface Entry {
  readonly route: Route;
  readonly icon: IconName;
  readonly text: MessageKey;
  /** Pages that belong to it. */
  readonly pages: readonly PageName[];
}

const ENTRIES: readonly Entry[] = [
  {
    route: { page: 'experiments' },
    icon: 'list',
    text: 'nav.experiments',
    pages: ['experiments', 'experiment'],
  },
  { route: { page: 'new', fork: null, preset: null }, icon: 'plus', text: 'nav.new', pages: ['new'] },
  { route: { page: 'compare', ids: [] }, icon: 'compare', text: 'nav.compare', pages: ['compare'] },
  { route: { page: 'sweeps', id: null }, icon: 'sliders', text: 'nav.sweeps', pages: ['sweeps'] },
  {
    route: { page: 'playground', experiment: null },
    icon: 'pen',
    text: 'nav.playground',
    pages: ['playground'],
  },
  {
    route: { page: 'inspector', experiment: null },
    icon: 'lens',
    text: 'nav.inspector',
    pages: ['inspector'],
  },
  { route: { page: 'corpora', name: null }, icon: 'book', text: 'nav.corpora', pages: ['corpora'] },
  { route: { page: 'machine' }, icon: 'chip', text: 'nav.machine', pages: ['machine'] },
];

/** The frame around each page: where one can go, and how it looks. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const nav = useRef<HTMLElement>(null);
  const { page } = route.value;
  useEffect(() => {
    const link = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (link) nav.current!.scrollLeft = link.offsetLeft - (nav.current!.clientWidth - link.offsetWidth) / 2; // on a narrow screen
  }, [page]);
  const focusMain = () => document.getElementById('main')?.focus();
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={focusMain}>
        {t('nav.skip')}
      </button>
      <header class="sidebar">
        <a class="brand" href={hrefOf({ page: 'experiments' })}>
          <img src="favicon.svg" alt="" width="28" height="28" />
          <span>gatelm</span>
        </a>
        <nav aria-label={t('nav.label')} ref={nav}>
          {ENTRIES.map((entry) => (
            <a
              key={entry.text}
              class="nav-link"
              href={hrefOf(entry.route)}
              {...(entry.pages.includes(page) && { 'aria-current': 'page' as const })}
            >
              <Icon name={entry.icon} />
              <span>{t(entry.text)}</span>
            </a>
          ))}
        </nav>
        <Preferences />
      </header>
      <main id="main" tabIndex={-1}>
        {!isOnline.value && (
          <p class="banner" role="alert">
            <Icon name="warning" /> {t('connection.lost')}
          </p>
        )}
        {children}
      </main>
    </div>
  );
}

function Preferences() {
  const signOut = () => {
    setKey(null);
    needsKey.value = true;
  };
  return (
    <div class="preferences">
      <label>
        <span class="visually-hidden">{t('preferences.language')}</span>
        <select
          value={language.value}
          onChange={({ currentTarget }) => void chooseLanguage(currentTarget.value as Language)}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="visually-hidden">{t('preferences.theme')}</span>
        <select
          value={theme.value}
          onChange={({ currentTarget }) => chooseTheme(currentTarget.value as Theme)}
        >
          {THEMES.map((name) => (
            <option key={name} value={name}>
              {t(`theme.${name}`)}
            </option>
          ))}
        </select>
      </label>
      {apiKey.value !== null && (
        <button type="button" class="button button-quiet" onClick={signOut}>
          {t('login.out')}
        </button>
      )}
    </div>
  );
}
