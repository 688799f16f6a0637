import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { t } from '../state/language.js';
import { ProblemNotice } from './problem-notice.js';

/** A page whose code is loaded when it is first shown. */
export function lazyPage<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  const loaded = signal<ComponentType<Props> | null>(null);
  const failure = signal<unknown>(null);
  let isLoading = false;

  function start(): void {
    if (isLoading) return;
    isLoading = true;
    failure.value = null;
    load().then(
      (page) => {
        loaded.value = page;
      },
      (error: unknown) => {
        isLoading = false;
        failure.value = error;
      },
    );
  }

  return function LazyPage(props: Props) {
    const Loaded = loaded.value;
    if (Loaded) return <Loaded {...props} />;
    if (failure.value) return <ProblemNotice error={failure.value} onRetry={start} />;
    start();
    return <p class="loading">{t('loading')}</p>;
  };
}
