import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Experiment } from '../../../../src/contracts/experiment.js';
import type { Checkpoint } from '../../../../src/contracts/metrics.js';
import { formatBytes, formatTime } from '../../../logic/format.js';
import { downloadFrom } from '../../api/download.js';
import { getCheckpoints } from '../../api/experiments.js';
import { language, t } from '../../state/language.js';
import { attempt } from '../../state/notices.js';
import { Button } from '../button.js';
import { ProblemNotice } from '../problem-notice.js';

export function RunCheckpoints({ experiment }: { readonly experiment: Experiment }) {
  const { id, best, seq } = experiment;
  const checkpoints = useSignal<readonly Checkpoint[]>([]);
  const failure = useSignal<unknown>(null);
  const turns = useRef({ asked: 0, answered: 0 });
  const epoch = Math.floor(experiment.latest.epoch ?? 0);
  useEffect(() => {
    const turn = ++turns.current.asked;
    getCheckpoints(id).then(
      (items) => {
        // Answers may come in another order. Earlier ones are not aborted: epochs may be shorter than the way of an answer.
        if (turn < turns.current.answered) return;
        turns.current.answered = turn;
        checkpoints.value = items;
      },
      (error: unknown) => {
        failure.value = error;
      },
    );
  }, [id, epoch, experiment.state]);
  const download = (path: string, name: string) => () => void attempt(() => downloadFrom(path, name));
  const hasModel = best.epoch !== null || experiment.state === 'succeeded';
  return (
    <div data-seq={seq}>
      {failure.value !== null && <ProblemNotice error={failure.value} />}
      <div class="exports">
        <Button
          icon="download"
          disabled={!hasModel}
          onClick={download(`/experiments/${id}/export`, `${id}.tar`)}
        >
          {t('export.bundle')}
        </Button>
        <Button icon="download" onClick={download(`/experiments/${id}/metrics?format=csv`, `${id}.csv`)}>
          {t('export.csv')}
        </Button>
        <span class="faint small">{t('export.explanation')}</span>
      </div>
      {checkpoints.value.length === 0 ? (
        <p class="faint">{t('checkpoints.none')}</p>
      ) : (
        <table class="config">
          <thead>
            <tr>
              <th scope="col">{t('axis.epoch')}</th>
              <th scope="col">{t('axis.step')}</th>
              <th scope="col">{t('checkpoints.size')}</th>
              <th scope="col">{t('checkpoints.written')}</th>
              <th scope="col">{t('checkpoints.digest')}</th>
              <th scope="col">
                <span class="visually-hidden">{t('column.state')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {checkpoints.value.toReversed().map((checkpoint) => (
              <tr key={`${checkpoint.file}${checkpoint.time}`} class={checkpoint.available ? '' : 'faint'}>
                <td class="number">{checkpoint.epoch}</td>
                <td class="number">{checkpoint.step.toLocaleString('en-US')}</td>
                <td class="number">{formatBytes(checkpoint.bytes)}</td>
                <td>{formatTime(checkpoint.time, language.value)}</td>
                <td class="mono">{checkpoint.digest.slice(0, 12)}</td>
                <td>
                  {checkpoint.isBest && <span class="tag">{t('checkpoints.best')}</span>}{' '}
                  {!checkpoint.available && <span class="tag">{t('checkpoints.gone')}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
