/** A failure of set-up, with what was tried, why it failed and what to do. */
export class SetupError extends Error {
  /**
   * @param {string} message what could not be done
   * @param {object} [more]
   * @param {string[]} [more.tried] what was tried and why it failed, a line each
   * @param {string[]} [more.advice] what to do, a line each
   * @param {string} [more.output] the end of a command's output, shown as it is
   * @param {string} [more.logFile] where all of its output is
   */
  constructor(message, { tried = [], advice = [], output = '', logFile, cause } = {}) {
    super(message, { cause });
    this.name = 'SetupError';
    this.tried = tried;
    this.advice = advice;
    this.output = output;
    this.logFile = logFile;
  }

  /** Several failures of steps that ran side by side, as one. */
  static join(failures) {
    return new SetupError(failures.map(({ message }) => message).join('; and '), {
      tried: failures.flatMap(({ tried }) => tried),
      advice: [...new Set(failures.flatMap(({ advice }) => advice))],
      output: failures
        .map(({ output, logFile }) => (output && logFile ? `${output}\n(all of it: ${logFile})` : output))
        .filter(Boolean)
        .join('\n'),
    });
  }
}

/** The text of a failure, over several lines. */
export function describeFailure({ message, tried, advice, output, logFile }) {
  return [
    message,
    ...list('tried', tried),
    ...(output ? ['  the end of its output:', ...output.split('\n').map((line) => `    | ${line}`)] : []),
    ...(logFile ? [`  all of its output: ${logFile}`] : []),
    ...list('what to do', advice),
  ].join('\n');
}

function list(title, lines) {
  return lines.length > 0 ? [`  ${title}:`, ...lines.map((line) => `    - ${line}`)] : [];
}

/** An error's first line, without what an address may carry of names and passwords: it is stored and shown. */
export function reasonOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  return withoutCredentials(text.split('\n')[0] ?? '');
}

/** `https://name:secret@host` becomes `https://…@host`. */
export function withoutCredentials(text) {
  return text.replace(/(\w+:\/\/)[^\s/@]+@/g, '$1…@');
}
