import type { CleanUpOwner } from './clean-up.js';
import { startWorker, type WorkerProcess } from './worker-process.js';

export type TrainerProcess = WorkerProcess;

export interface TrainerProcessOptions {
  /** Address of Redis. */
  readonly queue: string;
  /** Address of the server; unnecessary with an exchange. */
  readonly server?: string;
  readonly folder: string;
  readonly labels?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The command that starts it on another host. */
  readonly enter?: readonly string[];
}

/** Starts a trainer of one slot and waits until it takes trainings; it is killed after the test. */
export async function startTrainer(
  test: CleanUpOwner,
  { queue, server, folder, labels = [], env = {}, enter = [] }: TrainerProcessOptions,
): Promise<TrainerProcess> {
  const trainer = startWorker(
    test,
    [
      ...['trainer', '--queue', queue, '--data-dir', folder],
      ...(server === undefined ? [] : ['--server', server]),
      ...labels.flatMap((label) => ['--label', label]),
    ],
    { env, enter },
  );
  await trainer.said('in parallel');
  return trainer;
}
