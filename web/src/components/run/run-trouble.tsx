import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import { ADVICE } from '../../../logic/messages/advice.js';
import { durationText } from '../../state/duration.js';
import { t } from '../../state/language.js';
import type { FollowedRun } from '../../state/run.js';
import { Icon } from '../icons.js';

interface RunTroubleProps {
  readonly experiment: Experiment;
  readonly run: FollowedRun;
}

/** What failed, with what to do; and that what one sees may be old. */
export function RunTrouble({ experiment, run }: RunTroubleProps) {
  const { error, state } = experiment;
  const advice = error ? ADVICE[error.code] : undefined;
  return (
    <>
      {run.status.value === 'waiting' && <Stale heardAt={run.heardAt.value} />}
      {error && state === 'failed' && (
        <div class="problem" role="alert">
          <Icon name="warning" />
          <div>
            <p>{error.message}</p>
            {advice && <p class="advice">{t(advice)}</p>}
            <p class="faint small">{error.code}</p>
          </div>
        </div>
      )}
    </>
  );
}

function Stale({ heardAt }: { readonly heardAt: number }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="banner" role="status">
      <Icon name="warning" />
      {t('following.stale', { time: durationText((now.value - heardAt) / 1000) })}
    </p>
  );
}
