#!/usr/bin/env node
/** The `gatelm` command. */
import { Command } from 'commander';
import { AppError } from '../errors.js';
import { packageVersion } from '../server/package-version.js';
import { describeEnvironment } from './describe-environment.js';
import { serve } from './serve.js';

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

try {
  await program.parseAsync();
} catch (error) {
  console.error(`gatelm: ${error instanceof AppError ? error.message : (error as Error).stack}`);
  process.exit(1);
}
