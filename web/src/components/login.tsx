import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { needsKey, setKey } from '../api/key.js';
import { messageOf, ProblemError } from '../api/problem.js';
import { request } from '../api/request.js';
import { refresh } from '../state/experiments.js';
import { t } from '../state/language.js';
import { Button } from './button.js';

/** Asks for an API key, and keeps it when the server takes it. */
export function Login() {
  const failure = useSignal<string | null>(null);
  const isAtWork = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const key = input.current?.value.trim() ?? '';
    if (key === '') return;
    isAtWork.value = true;
    failure.value = null;
    setKey(key);
    try {
      await request('/experiments?limit=1');
      needsKey.value = false;
      void refresh();
    } catch (error) {
      setKey(null);
      const isRefused = error instanceof ProblemError && error.problem.status === 401;
      failure.value = isRefused ? t('login.refused') : messageOf(error);
    } finally {
      isAtWork.value = false;
    }
  }

  return (
    <main class="login">
      <form class="card login-card" onSubmit={submit}>
        <h1>
          <img src="favicon.svg" alt="" width="32" height="32" /> gatelm
        </h1>
        <p class="soft">{t('login.explanation')}</p>
        <label class="field">
          <span class="field-label">{t('login.key')}</span>
          <input ref={input} type="password" name="key" autocomplete="off" spellcheck={false} required />
        </label>
        {failure.value !== null && (
          <p class="field-error" role="alert">
            {failure.value}
          </p>
        )}
        <Button type="submit" kind="primary" disabled={isAtWork.value}>
          {t('login.submit')}
        </Button>
        <p class="faint small">{t('login.kept')}</p>
      </form>
    </main>
  );
}
