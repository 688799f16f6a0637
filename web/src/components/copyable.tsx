import { useSignal } from '@preact/signals';
import { t } from '../state/language.js';
import { attempt } from '../state/notices.js';
import { Button } from './button.js';

/** Code that one takes along. */
export function Copyable({ code, label }: { readonly code: string; readonly label: string }) {
  const isCopied = useSignal(false);
  const copy = () =>
    void attempt(async () => {
      await navigator.clipboard.writeText(code);
      isCopied.value = true;
      setTimeout(() => {
        isCopied.value = false;
      }, 1500);
    });
  return (
    <div class="copyable">
      <pre role="region" tabIndex={0} aria-label={label}>
        <code>{code}</code>
      </pre>
      <Button
        kind="quiet"
        icon={isCopied.value ? 'check' : 'copy'}
        label={isCopied.value ? t('action.copied') : t('action.copy', { what: label })}
        onClick={copy}
      />
    </div>
  );
}
