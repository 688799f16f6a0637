import { messageOf, ProblemError } from '../api/problem.js';
import { t } from '../state/language.js';
import { Button } from './button.js';
import { Icon } from './icons.js';

interface ProblemNoticeProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** What went wrong, in the server's own words, and what can be done. */
export function ProblemNotice({ error, onRetry }: ProblemNoticeProps) {
  const code = error instanceof ProblemError ? error.problem.code : null;
  return (
    <div class="problem" role="alert">
      <Icon name="warning" />
      <div>
        <p>{messageOf(error)}</p>
        {code !== null && <p class="faint small">{code}</p>}
      </div>
      {onRetry && <Button onClick={onRetry}>{t('action.tryAgain')}</Button>}
    </div>
  );
}
