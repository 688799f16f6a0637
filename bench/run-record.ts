import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { basename } from 'node:path';

/** How figures were made, for the head of a file of results. */
export interface RunRecord {
  readonly command: string;
  readonly commit: string;
  readonly machine: string;
  readonly startedAt: string;
  /** Processes that wanted to run when it started, the mean of a minute. */
  readonly loadAtStart: number;
}

/** Describes the program that runs now; called when it starts. */
export function describeRun(): RunRecord {
  const [, program = '', ...options] = process.argv;
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return {
    command: ['node', `dist/bench/${basename(program)}`, ...options].join(' '),
    commit: git.stdout?.trim() ?? '',
    machine: `${cpus()[0]?.model}, ${availableParallelism()} cores`,
    startedAt: new Date().toISOString(),
    loadAtStart: Number(loadavg()[0]!.toFixed(2)),
  };
}

/** Prints results, and writes them if there is a file. */
export function reportResults(results: object, file?: string): void {
  const text = `${JSON.stringify(results, null, 2)}\n`;
  process.stdout.write(text);
  if (file) writeFileSync(file, text);
}
