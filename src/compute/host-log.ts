import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * What TensorFlow says each time that it is loaded, before any of its settings can silence it. All of it is
 * information; its warnings and errors begin with W, E or F.
 */
const BANNER = [
  /^WARNING: All log messages before absl::InitializeLog\(\)/,
  /^I\d{4} /,
  /^To enable the following instructions/,
];

/** Hands on what a host writes, line by line, without TensorFlow's banner. */
export function forwardHostLog(output: Readable, write: (line: string) => void): void {
  createInterface({ input: output }).on('line', (line) => {
    if (!BANNER.some((pattern) => pattern.test(line))) write(line);
  });
}
