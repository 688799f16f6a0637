import type { ComponentChildren } from 'preact';
import { curlLine } from '../../../logic/curl.js';
import { formatBytes, formatCount } from '../../../logic/format.js';
import { addressOf } from '../../api/address.js';
import { apiKey } from '../../api/key.js';
import { messageOf } from '../../api/problem.js';
import { durationText } from '../../state/duration.js';
import { t } from '../../state/language.js';
import type { NewExperiment } from '../../state/new-experiment.js';
import { Copyable } from '../copyable.js';
import { ProblemNotice } from '../problem-notice.js';

interface EstimateProps {
  readonly form: NewExperiment;
  readonly children: ComponentChildren;
}

/** What the training would take, tried out by the server, and the same request for a shell. */
export function Estimate({ form, children }: EstimateProps) {
  const { plan, isPlanning, refusal, body, path } = form;
  const estimate = plan.value?.estimate;
  const measured = estimate?.measured;
  const rows: readonly (readonly [string, string])[] = estimate
    ? [
        [t('estimate.time'), measured ? durationText(measured.seconds) : t('estimate.notTried')],
        [t('estimate.perEpoch'), durationText(measured?.secondsPerEpoch)],
        [t('estimate.speed'), measured ? formatCount(measured.tokensPerSecond) : '–'],
        [t('figure.parameters'), formatCount(estimate.parameterCount)],
        [t('estimate.vocabulary'), formatCount(estimate.vocabularySize)],
        [t('estimate.trainTokens'), formatCount(estimate.trainTokens)],
        [t('estimate.memory'), formatBytes(estimate.memoryBytes)],
      ]
    : [];
  const curl = curlLine({
    method: 'POST',
    address: addressOf(path),
    body: body.value,
    needsKey: apiKey.value !== null,
  });
  return (
    <section class="card card-body estimate" aria-busy={isPlanning.value}>
      <h2>{t('estimate.title')}</h2>
      <div class={isPlanning.value ? 'estimate-body is-old' : 'estimate-body'} role="status">
        {rows.length > 0 ? (
          <dl>
            {rows.map(([label, value]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd class="number">{value}</dd>
              </div>
            ))}
          </dl>
        ) : (
          <NoPlan form={form} />
        )}
        {isPlanning.value && rows.length > 0 && <p class="faint small">{t('estimate.trying')}</p>}
      </div>
      <Notes title={t('estimate.chosen')} notes={plan.value?.config.reasons ?? []} />
      <Notes title={t('estimate.warnings')} notes={plan.value?.warnings ?? []} />
      {refusal.value !== null && <ProblemNotice error={refusal.value} />}
      {children}
      <h3>{t('estimate.curl')}</h3>
      <Copyable code={curl} label={t('estimate.curl')} />
    </section>
  );
}

function Notes({ title, notes }: { readonly title: string; readonly notes: readonly string[] }) {
  if (notes.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="estimate-notes soft small">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </>
  );
}

/** Why there is no estimate, or not yet. */
function NoPlan({ form }: { readonly form: NewExperiment }) {
  const { plan, failure, issues, isPlanning } = form;
  if (isPlanning.value) return <p class="soft small">{t('estimate.trying')}</p>;
  if (failure.value === null) return <p class="soft small">{plan.value?.reason ?? t('estimate.trying')}</p>;
  // The fields show what is wrong with them; what no field shows stands out here.
  const isAtFields = issues.value.byPath.size > 0 || issues.value.others.length > 0;
  return <p class={isAtFields ? 'soft small' : 'field-error'}>{messageOf(failure.value)}</p>;
}
