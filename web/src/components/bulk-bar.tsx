import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { canDo } from '../../logic/experiment-actions.js';
import { hrefOf } from '../../logic/routes.js';
import { actOnMany, addTag, type PlainVerb, remove } from '../state/actions.js';
import { experiments } from '../state/experiments.js';
import { t } from '../state/language.js';
import { chooseAll, chosen } from '../state/list-view.js';
import { Button } from './button.js';
import { Dialog } from './dialog.js';
import { Icon, type IconName } from './icons.js';

const VERBS: readonly { readonly verb: PlainVerb; readonly icon: IconName }[] = [
  { verb: 'pause', icon: 'pause' },
  { verb: 'resume', icon: 'play' },
  { verb: 'cancel', icon: 'stop' },
  { verb: 'retry', icon: 'retry' },
];

/** What can be done to the chosen experiments at once. */
export function BulkBar() {
  return chosen.value.length > 0 ? <FilledBar /> : null;
}

/** It goes with the last one chosen, and its dialog with it. */
function FilledBar() {
  const dialog = useSignal<'delete' | 'tag' | null>(null);
  const ids = chosen.value;
  const states = ids.map((id) => experiments.value.get(id)!.state);
  const close = () => {
    dialog.value = null;
  };
  return (
    <div class="bulk-bar" role="toolbar" aria-label={t('experiments.bulk')}>
      <b>{t('experiments.chosen', { count: ids.length })}</b>
      <a class="button" href={hrefOf({ page: 'compare', ids })}>
        <Icon name="compare" /> {t('action.compare')}
      </a>
      {VERBS.filter(({ verb }) => states.some((state) => canDo(verb, state))).map(({ verb, icon }) => (
        <Button key={verb} icon={icon} onClick={() => void actOnMany(ids, verb)}>
          {t(`action.${verb}`)}
        </Button>
      ))}
      <Button
        icon="tag"
        onClick={() => {
          dialog.value = 'tag';
        }}
      >
        {t('action.tag')}
      </Button>
      {states.some((state) => canDo('delete', state)) && (
        <Button
          icon="trash"
          kind="danger"
          onClick={() => {
            dialog.value = 'delete';
          }}
        >
          {t('action.delete')}
        </Button>
      )}
      <Button kind="quiet" onClick={() => chooseAll([])}>
        {t('action.clear')}
      </Button>
      {dialog.value === 'delete' && <DeleteDialog ids={ids} onClose={close} />}
      {dialog.value === 'tag' && <TagDialog ids={ids} onClose={close} />}
    </div>
  );
}

interface ManyProps {
  readonly ids: readonly string[];
  readonly onClose: () => void;
}

interface DeleteDialogProps extends ManyProps {
  /** Before it is deleted. */
  readonly onConfirm?: () => void;
  readonly onDone?: () => void;
}

/** Deleting is for good, so it is asked once more. What is deleted is what is named at the opening, whatever ends meanwhile. */
export function DeleteDialog({ ids, onClose, onConfirm, onDone }: DeleteDialogProps) {
  const { deletable, someStay } = useMemo(() => {
    const given = ids.flatMap((id) => experiments.value.get(id) ?? []);
    const deletable = given.filter(({ state }) => canDo('delete', state));
    return { deletable, someStay: deletable.length < given.length };
  }, []);
  const confirm = async () => {
    onClose();
    onConfirm?.();
    await remove(deletable.map(({ id }) => id));
    onDone?.();
  };
  return (
    <Dialog title={t('delete.title', { count: deletable.length })} onClose={onClose}>
      <p class="soft">{t('delete.explanation')}</p>
      <ul class="plain-list">
        {deletable.slice(0, 8).map(({ id, name }) => (
          <li key={id}>{name}</li>
        ))}
        {deletable.length > 8 && <li>…</li>}
      </ul>
      {someStay && <p class="faint small">{t('delete.activeStay')}</p>}
      <div class="dialog-actions">
        <Button onClick={onClose}>{t('action.keep')}</Button>
        <Button kind="danger" icon="trash" onClick={() => void confirm()}>
          {t('action.delete')}
        </Button>
      </div>
    </Dialog>
  );
}

function TagDialog({ ids, onClose }: ManyProps) {
  const tag = useSignal('');
  const submit = (event: Event) => {
    event.preventDefault();
    const name = tag.value.trim();
    if (name === '') return;
    void addTag(ids, name);
    onClose();
  };
  return (
    <Dialog title={t('tag.title')} onClose={onClose}>
      <form onSubmit={submit}>
        <label class="field">
          <span class="field-label">{t('tag.name')}</span>
          <input
            value={tag.value}
            maxLength={64}
            required
            onInput={({ currentTarget }) => {
              tag.value = currentTarget.value;
            }}
          />
        </label>
        <div class="dialog-actions">
          <Button type="submit" kind="primary">
            {t('action.tag')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
