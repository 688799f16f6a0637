import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import '../styles/playground.css';
import { Button } from '../components/button.js';
import { RequestLines } from '../components/playground/request-lines.js';
import { SamplingControls } from '../components/playground/sampling-controls.js';
import { WriterPane } from '../components/playground/writer-pane.js';
import { t } from '../state/language.js';
import { createWriter, DEFAULT_SAMPLING } from '../state/playground.js';

export function PlaygroundPage({ experiment }: { readonly experiment: string | null }) {
  const writers = useMemo(() => [createWriter(experiment), createWriter(null)] as const, [experiment]);
  const areTwo = useSignal(false);
  const prompt = useSignal('The ');
  const sampling = useSignal(DEFAULT_SAMPLING);
  const active = areTwo.value ? writers : writers.slice(0, 1);
  const isWriting = active.some((writer) => writer.isWriting.value);
  const canGoOn = active.every((writer) => writer.session.value !== null && writer.text.value !== '');
  useEffect(() => () => writers.forEach((writer) => void writer.stop()), [writers]);

  const write = (event: Event) => {
    event.preventDefault();
    if (isWriting) return; // the keys are there while the button is not
    for (const writer of active) void writer.begin(prompt.value, sampling.value);
  };
  const goOn = () => {
    for (const writer of active) void writer.goOn(sampling.value);
  };
  return (
    <>
      <div class="page-head">
        <h1>{t('nav.playground')}</h1>
        <Button
          icon="compare"
          pressed={areTwo.value}
          onClick={() => {
            areTwo.value = !areTwo.value;
          }}
        >
          {t('playground.sideBySide')}
        </Button>
      </div>
      <div class="playground">
        <div class="stack">
          <form class="card card-body stack" onSubmit={write}>
            <label class="field">
              <span class="field-label">{t('playground.prompt')}</span>
              <textarea
                rows={3}
                value={prompt.value}
                onInput={({ currentTarget }) => {
                  prompt.value = currentTarget.value;
                }}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) write(event);
                }}
              />
            </label>
            <div class="playground-actions">
              {isWriting ? (
                <Button icon="stop" onClick={() => active.forEach((writer) => void writer.stop())}>
                  {t('playground.stop')}
                </Button>
              ) : (
                <>
                  <Button type="submit" kind="primary" icon="pen">
                    {t('action.write')}
                  </Button>
                  {canGoOn && <Button onClick={goOn}>{t('playground.goOn')}</Button>}
                </>
              )}
              <span class="faint small">{t('playground.keys')}</span>
            </div>
          </form>
          <div class={areTwo.value ? 'panes panes-two' : 'panes'}>
            {active.map((writer, index) => (
              <WriterPane key={index === 0 ? 'first' : 'second'} writer={writer} />
            ))}
          </div>
        </div>
        <aside class="stack">
          <SamplingControls sampling={sampling} />
          <RequestLines
            experiment={writers[0].experiment.value}
            prompt={prompt.value}
            sampling={sampling.value}
          />
        </aside>
      </div>
    </>
  );
}
