/** What a command ends with; part of the interface, see docs/command-line.md. */
export const EXIT = {
  /** It did what it was asked. */
  done: 0,
  /** The server refused, or something went wrong. */
  error: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The training that was followed failed. */
  trainingFailed: 3,
  /** The training that was followed was paused, cancelled or interrupted. */
  trainingStopped: 4,
  /** No server answers. */
  unreachable: 5,
} as const;
