import { useEffect, useRef } from 'preact/hooks';
import { STATE_FILTERS, tagsOf } from '../../logic/experiment-list.js';
import { hrefOf } from '../../logic/routes.js';
import { BulkBar } from '../components/bulk-bar.js';
import { ExperimentsTable } from '../components/experiments-table.js';
import { Icon } from '../components/icons.js';
import { Segmented } from '../components/segmented.js';
import { experimentList, isLoaded } from '../state/experiments.js';
import { t } from '../state/language.js';
import { changeView, listView, shownExperiments } from '../state/list-view.js';

const NEW = { page: 'new', fork: null, preset: null } as const;

export function ExperimentsPage() {
  const count = experimentList.value.length;
  return (
    <>
      <div class="page-head">
        <h1>{t('nav.experiments')}</h1>
        <a class="button button-primary" href={hrefOf(NEW)}>
          <Icon name="plus" /> {t('nav.new')}
        </a>
      </div>
      {count > 0 ? (
        <>
          <Filters />
          <BulkBar />
          <ExperimentsTable />
          <p class="faint small table-foot">
            {t('experiments.count', { shown: shownExperiments.value.length, count })}
          </p>
        </>
      ) : isLoaded.value ? (
        <Empty />
      ) : (
        <p class="loading">{t('loading')}</p>
      )}
    </>
  );
}

function Empty() {
  return (
    <section class="card empty">
      <h2>{t('experiments.emptyTitle')}</h2>
      <p>{t('experiments.emptyText')}</p>
      <a class="button button-primary" href={hrefOf(NEW)}>
        {t('experiments.emptyAction')}
      </a>
    </section>
  );
}

function Filters() {
  const search = useRef<HTMLInputElement>(null);
  const tags = tagsOf(experimentList.value);
  const { text, state, tag } = listView.value;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping = (event.target as HTMLElement).matches('input, textarea, select');
      if (event.key !== '/' || isTyping) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="filters">
      <label class="search">
        <span class="visually-hidden">{t('experiments.search')}</span>
        <Icon name="lens" size={17} />
        <input
          ref={search}
          type="search"
          placeholder={t('experiments.searchHint')}
          value={text}
          onInput={({ currentTarget }) => changeView({ text: currentTarget.value })}
        />
      </label>
      <Segmented
        label={t('column.state')}
        value={state}
        options={STATE_FILTERS.map((value) => ({ value, text: t(`filter.${value}`) }))}
        onChange={(value) => changeView({ state: value })}
      />
      {tags.length > 0 && (
        <label>
          <span class="visually-hidden">{t('experiments.tag')}</span>
          <select
            value={tag ?? ''}
            onChange={({ currentTarget }) => changeView({ tag: currentTarget.value || null })}
          >
            <option value="">{t('experiments.allTags')}</option>
            {tags.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
