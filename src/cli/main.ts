#!/usr/bin/env node
/** The `gatelm` command. */
import { Command } from 'commander';
import { ConnectionError, GatelmError } from '../client/client.js';
import { AppError } from '../errors.js';
import { packageVersion } from '../server/package-version.js';
import { addCompletionCommand } from './commands/completion.js';
import { addExperimentCommands } from './commands/experiments.js';
import { addFileCommands } from './commands/files.js';
import { addTextCommands } from './commands/texts.js';
import { addTrainCommands } from './commands/train.js';
import { describeEnvironment } from './describe-environment.js';
import { addDoctor } from './doctor.js';
import { EXIT } from './exit-codes.js';
import { addQuickstart } from './quickstart.js';
import { addSetUp } from './set-up.js';
import { addTrainer } from './trainer.js';

// What only one command needs is loaded by it: `gatelm list` does not wait for the server's code.
const program = new Command('gatelm')
  .description('Trains, watches and serves gated recurrent (LSTM) language models on your own machine.')
  .version(packageVersion())
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage));

program
  .command('serve')
  .description('Start the server: experiments, progress and generation over HTTP')
  .option('--host <address>', 'same as GATELM_HOST')
  .option('--port <number>', 'same as GATELM_PORT')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR')
  .addHelpText('after', `\n${describeEnvironment()}`)
  .action(async (options) => (await import('./serve.js')).serve(options));

addTrainCommands(program);
addExperimentCommands(program);
addTextCommands(program);
addFileCommands(program);

const JSON_ANSWER = ['--json', 'print the answer as JSON, for programs'] as const;
program
  .command('backup <folder>')
  .description('Copy the data folder into an empty one, also while a server uses it')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR')
  .option(...JSON_ANSWER)
  .action(async (folder, options) => (await import('./backup.js')).runBackup(folder, options));

program
  .command('restore <folder>')
  .description('Make a new data folder of a backup, after checking each of its files')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR; empty, or not there yet')
  .option(...JSON_ANSWER)
  .action(async (folder, options) => (await import('./backup.js')).runRestore(folder, options));

const keys = program.command('keys').description('API keys: who may call, and what');
const DATA_DIR = ['--data-dir <folder>', 'same as GATELM_DATA_DIR'] as const;
keys
  .command('create <name>')
  .description('Print a new key, once; a running server knows it from then on')
  .requiredOption('--scope <scope>', 'read, train or admin')
  .option('--expires-days <days>', 'days until it ends; left out: never')
  .option(...DATA_DIR)
  .option(...JSON_ANSWER)
  .action(async (name, options) => (await import('./keys.js')).createKey(name, options));
keys
  .command('list')
  .description('The keys there are, without the keys themselves')
  .option(...DATA_DIR)
  .option(...JSON_ANSWER)
  .action(async (options) => (await import('./keys.js')).listKeys(options));
keys
  .command('revoke <name>')
  .description('End a key; a running server refuses it from then on')
  .option(...DATA_DIR)
  .option(...JSON_ANSWER)
  .action(async (name, options) => (await import('./keys.js')).revokeKey(name, options));

addCompletionCommand(program);

addQuickstart(program);
addDoctor(program);
addSetUp(program);
addTrainer(program);

try {
  await program.parseAsync();
} catch (error) {
  const isTold =
    error instanceof AppError || error instanceof GatelmError || error instanceof ConnectionError;
  console.error(`gatelm: ${isTold ? error.message : (error as Error).stack}`);
  process.exit(error instanceof ConnectionError ? EXIT.unreachable : EXIT.error);
}
