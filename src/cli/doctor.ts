import type { Command } from 'commander';
import { describeState } from './doctor/describe-state.js';
import { findProblems } from './doctor/find-problems.js';
import { EXIT } from './exit-codes.js';

/** Adds `gatelm doctor`. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('Check this machine: what set-up found, what is slow or broken, why, and how to fix it')
    .option('--data-dir <folder>', 'same as GATELM_DATA_DIR')
    .option('--json', 'print one JSON object', false)
    .action((options) => doctor(options));
}

/** Exit code 1 if gatelm cannot run; 0 if it is merely slow. */
async function doctor({ json, dataDir }: { json: boolean; dataDir?: string }): Promise<void> {
  const { examine } = await import('./doctor/examine.js');
  const state = await examine(dataDir ? { ...process.env, GATELM_DATA_DIR: dataDir } : process.env);
  const problems = findProblems(state);
  if (problems.some(({ severity }) => severity === 'error')) process.exitCode = EXIT.error;
  console.log(json ? JSON.stringify({ ...state, problems }, null, 2) : describeState(state, problems));
}
