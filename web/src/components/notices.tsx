import { t } from '../state/language.js';
import { dismiss, notices } from '../state/notices.js';
import { Button } from './button.js';

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, kind, text }) => (
        <div key={id} class={`notice notice-${kind}`}>
          <span>{text}</span>
          <Button icon="close" kind="quiet" label={t('action.dismiss')} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
