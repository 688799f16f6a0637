/** A failure of set-up, with what was tried, why it failed and what to do. */
export class SetupError extends Error {
  /**
   * @param {string} message what could not be done
   * @param {object} cause why: an error, perhaps with what was `tried`, a command's `output` and its `logFile`
   * @param {string[]} advice what to do, a line each
   */
  constructor(message, cause, advice) {
    super(message, { cause });
    this.tried = cause?.tried;
    this.output = cause?.output;
    this.logFile = cause?.logFile;
    this.advice = advice;
  }
}

/** Several ways to one thing, none of which has worked. */
export class AttemptsError extends Error {
  /** @param {[what: string, error: Error][]} attempts */
  constructor(attempts) {
    const reasons = attempts.map(([what, error]) => `${what}: ${reasonOf(error)}`);
    const logs = attempts.map(([, { logFile }]) => (logFile ? ` (log: ${logFile})` : ''));
    super(reasons.join('; '));
    this.reasons = reasons;
    this.tried = reasons.map((reason, index) => reason + logs[index]);
    const [, last] = attempts.at(-1);
    this.output = last.output;
    this.logFile = last.logFile;
  }
}

/**
 * The result of the first way that works.
 * @param {[what: string, take: () => Promise<unknown>][]} ways
 * @throws AttemptsError
 */
export async function firstThatWorks(ways) {
  const attempts = [];
  for (const [what, take] of ways) {
    try {
      return await take();
    } catch (error) {
      attempts.push([what, error]);
    }
  }
  throw new AttemptsError(attempts);
}

/** The text of a failure, over several lines. */
export function describeFailure({ message, cause, tried, advice = [], output, logFile }) {
  const attempts = tried ?? (cause && !output ? [reasonOf(cause)] : []);
  return [
    message,
    ...list('tried', attempts),
    ...(output ? ['  the end of its output:', ...output.split('\n').map((line) => `    | ${line}`)] : []),
    ...(logFile ? [`  all of its output: ${logFile}`] : []),
    ...list('what to do', advice),
  ].join('\n');
}

/** The text of a failure that set-up goes on without; its message says what is used instead. */
export function describeWarning({ message, cause, tried, advice, output, logFile }) {
  return [
    tried ? message : `${message}: ${reasonOf(cause)}`,
    ...(tried ?? []).map((attempt) => `tried ${attempt}`),
    ...(output && !tried ? output.split('\n').map((line) => `| ${line}`) : []),
    ...(logFile && !tried ? [`all of the output: ${logFile}`] : []),
    ...advice.map((line) => `to do: ${line}`),
  ].join('\n');
}

function list(title, lines) {
  return lines.length > 0 ? [`  ${title}:`, ...lines.map((line) => `    - ${line}`)] : [];
}

/** An error's first line, without what an address may carry of names and passwords: it is stored and shown. */
export function reasonOf({ message }) {
  return withoutCredentials(message.split('\n')[0]);
}

/** `https://name:secret@host` becomes `https://…@host`. */
export function withoutCredentials(text) {
  return text.replace(/(\w+:\/\/)[^\s/@]+@/g, '$1…@');
}
