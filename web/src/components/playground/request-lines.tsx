import { useSignal } from '@preact/signals';
import { curlLine } from '../../../logic/curl.js';
import { openAiLines } from '../../../logic/openai-lines.js';
import { addressOf } from '../../api/address.js';
import { apiKey } from '../../api/key.js';
import { t } from '../../state/language.js';
import type { Sampling } from '../../state/playground.js';
import { Copyable } from '../copyable.js';
import { Segmented } from '../segmented.js';

interface RequestLinesProps {
  readonly experiment: string | null;
  readonly prompt: string;
  readonly sampling: Sampling;
}

/** The same text from a program. */
export function RequestLines({ experiment, prompt, sampling }: RequestLinesProps) {
  const kind = useSignal<'curl' | 'openai'>('curl');
  const needsKey = apiKey.value !== null;
  const code =
    kind.value === 'curl'
      ? curlLine({
          method: 'POST',
          address: addressOf('/generate'),
          body: { ...(experiment !== null && { experiment }), prompt, ...sampling },
          accept: 'text/plain',
          needsKey,
        })
      : openAiLines({
          address: addressOf('/').replace(/\/$/, ''),
          model: experiment,
          prompt,
          sampling,
          needsKey,
        });
  return (
    <section class="card card-body stack">
      <h2>{t('playground.program')}</h2>
      <Segmented
        label={t('playground.program')}
        value={kind.value}
        options={[
          { value: 'curl', text: 'curl' },
          { value: 'openai', text: 'OpenAI (Python)' },
        ]}
        onChange={(value) => {
          kind.value = value;
        }}
      />
      <Copyable code={code} label={t('playground.program')} />
    </section>
  );
}
