import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Experiment } from '../../../src/contracts/experiment.js';
import { canDo, isActive, progressOf } from '../../logic/experiment-actions.js';
import { formatDelta, formatFigure, formatPercent, formatTime } from '../../logic/format.js';
import { hrefOf } from '../../logic/routes.js';
import { act, moveInQueue } from '../state/actions.js';
import { durationText } from '../state/duration.js';
import { language, t } from '../state/language.js';
import { baseline, choose, chosen, pinBaseline } from '../state/list-view.js';
import { sparklineOf } from '../state/sparklines.js';
import { Button } from './button.js';
import { Sparkline } from './sparkline.js';
import { StateBadge } from './state-badge.js';

export const ROW_HEIGHT = 64;

interface ExperimentRowProps {
  readonly experiment: Experiment;
  /** Its place in the whole table, from 1, the head not counted. */
  readonly place: number;
}

export function ExperimentRow({ experiment, place }: ExperimentRowProps) {
  const { id, name, state, config, tags, best, latest, createdAt } = experiment;
  const active = isActive(state);
  const row = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // What had the focus is now another experiment’s: a key must not act on that.
    const { activeElement } = document;
    if (activeElement instanceof HTMLElement && row.current!.contains(activeElement)) activeElement.blur();
  }, [id]);
  return (
    <div
      class="row"
      role="row"
      ref={row}
      aria-rowindex={place + 1}
      style={{ top: `${(place - 1) * ROW_HEIGHT}px` }}
    >
      <span role="cell" class="cell-check">
        <input
          type="checkbox"
          aria-label={t('experiments.choose', { name })}
          checked={chosen.value.includes(id)}
          onChange={({ currentTarget }) => choose(id, currentTarget.checked)}
        />
      </span>
      <span role="cell" class="cell-name">
        <a href={hrefOf({ page: 'experiment', id })}>{name}</a>
        <span class="cell-below">
          <span>{config.preset ?? config.model.hiddenSizes.join(' · ')}</span>
          <span aria-hidden="true">·</span>
          <span>{config.corpus}</span>
          {tags.slice(0, 3).map((tag) => (
            <span key={tag} class="tag">
              {tag}
            </span>
          ))}
        </span>
      </span>
      <span role="cell" class="cell-state">
        <StateBadge state={state} />
        <StateDetail experiment={experiment} />
      </span>
      <span role="cell" class="cell-curve">
        <Sparkline values={sparklineOf(experiment).value} isLive={state === 'running'} />
      </span>
      <span role="cell" class="cell-number cell-best">
        <b>{formatFigure(best.validPerplexity)}</b>
        <Delta experiment={experiment} />
      </span>
      <span role="cell" class="cell-number cell-latest">
        {formatFigure(latest.validPerplexity)}
      </span>
      <span role="cell" class="cell-number cell-speed">
        {formatFigureOrNone(active ? latest.tokensPerSecond : null)}
      </span>
      <span role="cell" class="cell-number cell-left">
        {durationText(state === 'running' ? latest.remainingSeconds : null)}
      </span>
      <span role="cell" class="cell-created faint small">
        {formatTime(createdAt, language.value)}
      </span>
      <span role="cell" class="cell-actions">
        <RowActions experiment={experiment} />
      </span>
    </div>
  );
}

const formatFigureOrNone = (value: number | null) =>
  value === null ? '–' : Math.round(value).toLocaleString('en-US');

function StateDetail({ experiment }: { readonly experiment: Experiment }) {
  const { state, queuePosition, latest, config } = experiment;
  if (state === 'queued' && queuePosition !== null)
    return <span class="cell-below">{t('experiments.queuePosition', { position: queuePosition + 1 })}</span>;
  if (!isActive(state) && state !== 'paused') return null;
  const progress = progressOf(experiment);
  const text = t('experiments.epochOf', {
    epoch: Math.floor(latest.epoch ?? 0),
    epochs: config.training.epochs,
  });
  return (
    <span
      key={experiment.id}
      class="progress"
      role="img"
      aria-label={`${text}, ${formatPercent(progress)}`}
      title={text}
    >
      <span style={{ width: `${progress * 100}%` }} />
    </span>
  );
}

/** Difference of the best perplexity to the pinned baseline. */
function Delta({ experiment }: { readonly experiment: Experiment }) {
  const pinned = baseline.value;
  if (!pinned) return null;
  if (pinned.id === experiment.id) return <span class="cell-below">{t('experiments.baseline')}</span>;
  const delta = formatDelta(experiment.best.validPerplexity, pinned.best.validPerplexity);
  if (delta === null) return null;
  const isComparable = experiment.config.corpus === pinned.config.corpus;
  const tone = !isComparable ? 'faint' : delta.startsWith('−') ? 'is-better' : 'is-worse';
  return (
    <span class={`cell-below ${tone}`} {...(!isComparable && { title: t('experiments.otherCorpus') })}>
      {delta}
    </span>
  );
}

function RowActions({ experiment }: { readonly experiment: Experiment }) {
  const { id, name, state } = experiment;
  const isPinned = baseline.value?.id === id;
  return (
    <>
      {state === 'queued' && (
        <>
          <Button
            kind="quiet"
            icon="up"
            label={t('action.moveUp', { name })}
            onClick={() => void moveInQueue(id, -1)}
          />
          <Button
            kind="quiet"
            icon="down"
            label={t('action.moveDown', { name })}
            onClick={() => void moveInQueue(id, 1)}
          />
        </>
      )}
      {canDo('pause', state) && state !== 'queued' && (
        <Button
          kind="quiet"
          icon="pause"
          label={t('action.pauseOne', { name })}
          onClick={() => void act(id, 'pause')}
        />
      )}
      {canDo('resume', state) && (
        <Button
          kind="quiet"
          icon="play"
          label={t('action.resumeOne', { name })}
          onClick={() => void act(id, 'resume')}
        />
      )}
      <Button
        kind="quiet"
        icon="pin"
        label={t('action.pin', { name })}
        pressed={isPinned}
        onClick={() => pinBaseline(isPinned ? null : id)}
      />
    </>
  );
}
