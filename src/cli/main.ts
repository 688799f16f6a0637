#!/usr/bin/env node
/** The `gatelm` command. */
import { Command } from 'commander';
import { AppError } from '../errors.js';
import { packageVersion } from '../server/package-version.js';
import { runBackup, runRestore } from './backup.js';
import { describeEnvironment } from './describe-environment.js';
import { addDoctor } from './doctor.js';
import { createKey, listKeys, revokeKey } from './keys.js';
import { addQuickstart } from './quickstart.js';
import { serve } from './serve.js';
import { addSetUp } from './set-up.js';

const program = new Command('gatelm')
  .description('Trains, watches and serves gated recurrent (LSTM) language models on your own machine.')
  .version(packageVersion());

program
  .command('serve')
  .description('Start the server: experiments, progress and generation over HTTP')
  .option('--host <address>', 'same as GATELM_HOST')
  .option('--port <number>', 'same as GATELM_PORT')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR')
  .addHelpText('after', `\n${describeEnvironment()}`)
  .action((options) => serve(options));

program
  .command('backup <folder>')
  .description('Copy the data folder into an empty one, also while a server uses it')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR')
  .action((folder, options) => runBackup(folder, options));

program
  .command('restore <folder>')
  .description('Make a new data folder of a backup, after checking each of its files')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR; empty, or not there yet')
  .action((folder, options) => runRestore(folder, options));

const keys = program.command('keys').description('API keys: who may call, and what');
const DATA_DIR = ['--data-dir <folder>', 'same as GATELM_DATA_DIR'] as const;
keys
  .command('create <name>')
  .description('Print a new key, once; a running server knows it from then on')
  .requiredOption('--scope <scope>', 'read, train or admin')
  .option('--expires-days <days>', 'days until it ends; left out: never')
  .option(...DATA_DIR)
  .action((name, options) => createKey(name, options));
keys
  .command('list')
  .description('The keys there are, without the keys themselves')
  .option(...DATA_DIR)
  .action((options) => listKeys(options));
keys
  .command('revoke <name>')
  .description('End a key; a running server refuses it from then on')
  .option(...DATA_DIR)
  .action((name, options) => revokeKey(name, options));

addQuickstart(program);
addDoctor(program);
addSetUp(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(`gatelm: ${error instanceof AppError ? error.message : (error as Error).stack}`);
  process.exit(1);
}
