/** What the commands of machines that work for a server have in common. */
import { Option } from 'commander';
import { MachineLabel } from '../contracts/machine.js';
import { parseStrictly } from '../contracts/validation.js';

/** `--label`, which may be repeated. */
export function labelOption(description: string): Option {
  return new Option('--label <label>', `${description}, as in gpu; may be repeated`)
    .default([])
    .argParser((label: string, labels: string[]) => [
      ...labels,
      parseStrictly(MachineLabel, label, '--label'),
    ]);
}

/** Drains at the first SIGTERM or SIGINT; the second one ends the process, and with it its hosts. */
export function drainOnSignal(notice: string, drain: () => Promise<void>): void {
  let isDraining = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (isDraining) process.exit(1);
      isDraining = true;
      console.log(`draining: ${notice}`);
      void drain();
    });
}
