import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { torchPython } from './torch-python.js';
import type { Precision, Workload } from './workload.js';

/** One figure of one side on one workload, in one round. */
export interface Measurement {
  readonly mode: string;
  readonly tokensPerSecond: number;
  /** Largest resident size of the process. */
  readonly peakBytes: number;
}

/** A program that runs a workload in a process of its own. */
export interface Side {
  readonly name: string;
  /** Why it cannot be measured here; null = it can. */
  readonly unavailable: string | null;
  /** Whether it knows this workload at all. */
  accepts(workload: Workload): boolean;
  run(workload: Workload): Promise<Measurement[]>;
}

const run = promisify(execFile);
/** A side that has not finished by then is stuck. */
const LIMIT_MS = 600_000;

/** gatelm itself, in one precision. */
export function gatelmSide(precision: Precision): Side {
  return {
    name: `gatelm ${precision}`,
    unavailable: null,
    accepts: () => true,
    run: async (workload) => (await runGatelm('./gatelm-step.js', workload, precision)).map(parse),
  };
}

/** Another checkout of gatelm that is built, such as of the commit before a change. */
export function checkoutSide(folder: string, precision: Precision): Side {
  const program = join(resolve(folder), 'dist', 'bench', 'gatelm-step.js');
  return {
    name: `before ${precision}`,
    unavailable: existsSync(program) ? null : `${program} is not there`,
    accepts: ({ cell }) => cell === undefined,
    run: async (workload) =>
      (await jsonLines(process.execPath, [program, JSON.stringify(workload), precision], workload)).map(
        parse,
      ),
  };
}

/** Runs one of gatelm's programs here on a workload. @returns the JSON lines that it prints */
export function runGatelm(
  program: string,
  workload: Workload,
  precision: Precision,
  environment: NodeJS.ProcessEnv = {},
): Promise<string[]> {
  const args = [compiled(program), JSON.stringify(workload), precision];
  return jsonLines(process.execPath, args, workload, environment);
}

/** PyTorch in its three modes. */
export function pytorchSide(): Side {
  const { python, unavailable } = torchPython();
  const program = fileURLToPath(new URL('../../bench/peers/pytorch_step.py', import.meta.url));
  return {
    name: 'PyTorch',
    unavailable,
    accepts: ({ cell }) => cell === undefined || cell.type === 'gru',
    run: async (workload) =>
      (await jsonLines(python, [program, JSON.stringify(workload)], workload)).map(parse),
  };
}

/** tf.layers on tfjs-node: what one would write without gatelm. Too slow for more than one step a round. */
export function tfjsLayersSide(): Side {
  const program = compiled('./peers/tfjs-layers-step.js');
  return {
    name: 'tf.layers',
    unavailable: null,
    accepts: ({ cell, task, awd, vocabularySize }) =>
      cell === undefined && task === 'train' && !awd && vocabularySize === 10_000,
    run: async (workload) => {
      const args = [program, JSON.stringify({ ...workload, steps: 2 })];
      return (await jsonLines(process.execPath, args, workload)).map(parse);
    },
  };
}

async function jsonLines(
  command: string,
  args: string[],
  { threads }: Workload,
  environment: NodeJS.ProcessEnv = {},
): Promise<string[]> {
  const env = {
    ...process.env,
    GATELM_THREADS: String(threads),
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_CPP_MIN_LOG_LEVEL: '2',
    ...environment,
  };
  const { stdout } = await run(command, args, { env, timeout: LIMIT_MS, maxBuffer: 1 << 24 });
  return stdout.split('\n').filter((line) => line.startsWith('{'));
}

function parse(line: string): Measurement {
  return JSON.parse(line) as Measurement;
}

/** A compiled program beside this one. */
function compiled(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
