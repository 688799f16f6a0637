import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * Messages that TensorFlow prints each time it is loaded, before its settings can suppress them. All are
 * informational; its warnings and errors begin with W, E or F.
 */
const BANNER = [
  /^WARNING: All log messages before absl::InitializeLog\(\)/,
  /^I\d{4} /,
  /^To enable the following instructions/,
];

/** Forwards the output of a host, line by line, without TensorFlow's banner. */
export function forwardHostLog(output: Readable, write: (line: string) => void): void {
  createInterface({ input: output }).on('line', (line) => {
    if (!BANNER.some((pattern) => pattern.test(line))) write(line);
  });
}
