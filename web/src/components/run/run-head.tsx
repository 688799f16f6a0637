import { useSignal } from '@preact/signals';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import { canDo, isActive, progressOf } from '../../../logic/experiment-actions.js';
import { formatPercent } from '../../../logic/format.js';
import { hrefOf } from '../../../logic/routes.js';
import { runVerb } from '../../api/experiments.js';
import { act, edit, type PlainVerb } from '../../state/actions.js';
import { durationText } from '../../state/duration.js';
import { t } from '../../state/language.js';
import { attempt } from '../../state/notices.js';
import { goTo } from '../../state/router.js';
import type { FollowedRun } from '../../state/run.js';
import { DeleteDialog } from '../bulk-bar.js';
import { Button } from '../button.js';
import { Dialog } from '../dialog.js';
import { Icon, type IconName } from '../icons.js';
import { StateBadge } from '../state-badge.js';

interface RunHeadProps {
  readonly experiment: Experiment;
  readonly run: FollowedRun;
}

const VERBS: readonly { readonly verb: PlainVerb; readonly icon: IconName }[] = [
  { verb: 'pause', icon: 'pause' },
  { verb: 'resume', icon: 'play' },
  { verb: 'retry', icon: 'retry' },
  { verb: 'cancel', icon: 'stop' },
];

export function RunHead({ experiment, run }: RunHeadProps) {
  const { id, name, state, tags, notes, parentId } = experiment;
  const dialog = useSignal<'edit' | 'continue' | 'delete' | null>(null);
  const open = (which: typeof dialog.value) => () => {
    dialog.value = which;
  };
  const close = open(null);
  return (
    <>
      <div class="page-head run-head">
        <div class="run-title">
          <h1>{name}</h1>
          <div class="run-subtitle">
            <StateBadge state={state} />
            <Following run={run} />
            {tags.map((tag) => (
              <span key={tag} class="tag">
                {tag}
              </span>
            ))}
            {parentId !== null && (
              <a class="small" href={hrefOf({ page: 'experiment', id: parentId })}>
                {t('run.parent')}
              </a>
            )}
          </div>
        </div>
        {VERBS.filter(({ verb }) => canDo(verb, state)).map(({ verb, icon }) => (
          <Button key={verb} icon={icon} onClick={() => void act(id, verb)}>
            {t(`action.${verb}`)}
          </Button>
        ))}
        {canDo('continue', state) && (
          <Button icon="play" onClick={open('continue')}>
            {t('action.continue')}
          </Button>
        )}
        <a class="button" href={hrefOf({ page: 'playground', experiment: id })}>
          <Icon name="pen" /> {t('action.write')}
        </a>
        <a class="button" href={hrefOf({ page: 'new', fork: id, preset: null })}>
          <Icon name="fork" /> {t('action.fork')}
        </a>
        <Button icon="tag" label={t('run.edit')} onClick={open('edit')} />
        {canDo('delete', state) && (
          <Button icon="trash" kind="danger" label={t('action.delete')} onClick={open('delete')} />
        )}
      </div>
      {notes !== '' && <p class="soft run-notes">{notes}</p>}
      {isActive(state) && <Progress experiment={experiment} />}
      {dialog.value === 'edit' && <EditDialog experiment={experiment} onClose={close} />}
      {dialog.value === 'continue' && <ContinueDialog id={id} onClose={close} />}
      {dialog.value === 'delete' && (
        <DeleteDialog
          ids={[id]}
          onClose={close}
          onConfirm={run.stop} // or it would be read once more when it is no longer there
          onDone={() => goTo({ page: 'experiments' })}
        />
      )}
    </>
  );
}

/** Whether what one sees is what is. */
function Following({ run }: { readonly run: FollowedRun }) {
  const status = run.status.value;
  if (status === 'ended') return null;
  return <span class={`following following-${status}`}>{t(`following.${status}`)}</span>;
}

function Progress({ experiment }: { readonly experiment: Experiment }) {
  const { latest, config } = experiment;
  const progress = progressOf(experiment);
  return (
    <div class="run-progress">
      <span class="progress" aria-hidden="true">
        <span style={{ width: `${progress * 100}%` }} />
      </span>
      <span class="soft small number">
        {t('run.epochs', { epoch: (latest.epoch ?? 0).toFixed(2), epochs: config.training.epochs })} ·{' '}
        {formatPercent(progress)}
        {latest.remainingSeconds !== null &&
          ` · ${t('run.left', { time: durationText(latest.remainingSeconds) })}`}
      </span>
    </div>
  );
}

interface DialogProps {
  readonly onClose: () => void;
}

function EditDialog({ experiment, onClose }: DialogProps & { readonly experiment: Experiment }) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (field: string) => String(form.get(field) ?? '').trim();
    const tags = text('tags')
      .split(',')
      .map((tag) => tag.trim());
    const change = { name: text('name'), tags: [...new Set(tags)].filter(Boolean), notes: text('notes') };
    if (await edit(experiment.id, change)) onClose();
  };
  return (
    <Dialog title={t('run.edit')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <label class="field">
          <span class="field-label">{t('column.name')}</span>
          <input name="name" required maxLength={200} defaultValue={experiment.name} />
        </label>
        <label class="field">
          <span class="field-label">{t('run.tags')}</span>
          <input name="tags" defaultValue={experiment.tags.join(', ')} />
        </label>
        <label class="field">
          <span class="field-label">{t('run.notes')}</span>
          <textarea name="notes" rows={4} maxLength={10_000} defaultValue={experiment.notes} />
        </label>
        <div class="dialog-actions">
          <Button type="submit" kind="primary">
            {t('action.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function ContinueDialog({ id, onClose }: DialogProps & { readonly id: string }) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const epochs = Number(new FormData(event.currentTarget as HTMLFormElement).get('epochs'));
    if (await attempt(() => runVerb(id, 'continue', { epochs }))) onClose();
  };
  return (
    <Dialog title={t('action.continue')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <label class="field">
          <span class="field-label">{t('run.moreEpochs')}</span>
          <input name="epochs" type="number" min={1} max={100_000} defaultValue="5" required />
        </label>
        <div class="dialog-actions">
          <Button type="submit" kind="primary">
            {t('action.continue')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
