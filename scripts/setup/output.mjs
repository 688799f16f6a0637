/** What set-up says, and how it words a failure. */

/** A line; more lines of one text are indented. */
export function say(text) {
  console.log(`  ${text.replaceAll('\n', '\n    ')}`);
}

/** A failure that set-up foresees. Its message is all that the user reads. */
export class SetupError extends Error {}

/**
 * The text of a failure.
 * @param {string} message what could not be done
 * @param {{ tried?: string[], output?: string, logFile?: string }} error the ways that did not work, each with the
 * reason; or the end of what a command printed
 * @param {string[]} advice
 */
export function describeFailure(message, { tried = [], output, logFile }, advice) {
  return [
    message,
    ...tried.map((attempt) => `tried ${attempt}`),
    ...(output?.split('\n').map((line) => `| ${line}`) ?? []),
    ...(logFile ? [`all of its output: ${logFile}`] : []),
    ...advice.map((line) => `to do: ${line}`),
  ].join('\n');
}

/** An error's first line, without what an address may carry of names and passwords: it is stored and shown. */
export function reasonOf({ message }) {
  return withoutCredentials(message.split('\n')[0]);
}

/** `https://name:secret@host` becomes `https://…@host`. */
export function withoutCredentials(text) {
  return text.replace(/(\w+:\/\/)[^\s/@]+@/g, '$1…@');
}

/** The last lines of an output, empty ones left out. */
export function lastLines(text, count) {
  const lines = text.split('\n').filter((line) => line.trim());
  return lines.slice(-count).join('\n');
}

/** Time since then: `12.3 s`. */
export function secondsSince(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}
