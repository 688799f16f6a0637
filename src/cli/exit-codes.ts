/** Exit codes of the commands; part of the public interface, see docs/command-line.md. */
export const EXIT = {
  /** Success. */
  done: 0,
  /** The server refused the request, or another error. */
  error: 1,
  /** Invalid command line. */
  usage: 2,
  /** The training that was followed failed. */
  trainingFailed: 3,
  /** The training that was followed was paused, cancelled or interrupted. */
  trainingStopped: 4,
  /** The server cannot be reached. */
  unreachable: 5,
} as const;
