#!/usr/bin/env node
/** The `gatelm` command. */
import { Command } from 'commander';
import { ConnectionError, GatelmError } from '../client/client.js';
import { AppError } from '../errors.js';
import { packageVersion } from '../package-version.js';
import { addCompletionCommand } from './commands/completion.js';
import { addExperimentCommands } from './commands/experiments.js';
import { addFileCommands } from './commands/files.js';
import { addSweepCommands } from './commands/sweep.js';
import { addTextCommands } from './commands/texts.js';
import { addTrainCommands } from './commands/train.js';
import { describeEnvironment } from './describe-environment.js';
import { addDoctor } from './doctor.js';
import { EXIT } from './exit-codes.js';
import { addInferencer } from './inferencer.js';
import { addQuickstart } from './quickstart.js';
import { addSetUp, startCommand } from './set-up.js';
import { addTrainer } from './trainer.js';

// Commands import their own dependencies lazily: `gatelm list` does not wait for the server's code to load.
const program = new Command('gatelm')
  .description('Trains, watches and serves gated recurrent (LSTM) language models on your own machine.')
  .version(packageVersion())
  .addHelpText(
    'after',
    '\nGATELM_URL and GATELM_API_KEY say which server the commands talk to (default: http://127.0.0.1:8080).',
  )
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage));

program
  .commandsGroup('Server:')
  .command('serve')
  .description('Start the server: experiments, progress and generation over HTTP')
  .option('--host <address>', 'same as GATELM_HOST')
  .option('--port <number>', 'same as GATELM_PORT')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR')
  .addHelpText('after', `\n${describeEnvironment()}`)
  .action(async (options) => (await import('./serve.js')).serve(options));

addQuickstart(program);
addDoctor(program);
addSetUp(program);

program.commandsGroup('Train and compare:');
addTrainCommands(program);
addExperimentCommands(program);
addSweepCommands(program);
program.commandsGroup('Use a model:');
addTextCommands(program);
program.commandsGroup('Files:');
addFileCommands(program);

program.commandsGroup('Operate:');

const JSON_ANSWER = ['--json', 'print the answer as JSON, for programs'] as const;
program
  .command('backup <folder>')
  .description('Copy the data folder into an empty one, even while a server is using it')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR')
  .option(...JSON_ANSWER)
  .action(async (folder, options) => (await import('./backup.js')).runBackup(folder, options));

program
  .command('restore <folder>')
  .description('Restore a backup into a new data folder, after verifying each file')
  .option('--data-dir <folder>', 'same as GATELM_DATA_DIR; must be empty or not exist')
  .option(...JSON_ANSWER)
  .action(async (folder, options) => (await import('./backup.js')).runRestore(folder, options));

const keys = program.command('keys').description('Manage API keys');
const DATA_DIR = ['--data-dir <folder>', 'same as GATELM_DATA_DIR'] as const;
keys
  .command('create <name>')
  .description('Create a key and print it once; a running server accepts it immediately')
  .requiredOption('--scope <scope>', 'read, train, admin, trainer or inferencer')
  .option('--expires-days <days>', 'days until it expires; default: never')
  .option(...DATA_DIR)
  .option(...JSON_ANSWER)
  .action(async (name, options) => (await import('./keys.js')).createKey(name, options));
keys
  .command('list')
  .description('List the keys, without the secrets')
  .option(...DATA_DIR)
  .option(...JSON_ANSWER)
  .action(async (options) => (await import('./keys.js')).listKeys(options));
keys
  .command('revoke <name>')
  .description('Revoke a key; a running server refuses it immediately')
  .option(...DATA_DIR)
  .option(...JSON_ANSWER)
  .action(async (name, options) => (await import('./keys.js')).revokeKey(name, options));

addCompletionCommand(program);

addTrainer(program);
addInferencer(program);

try {
  await program.parseAsync();
} catch (thrown) {
  const errors: unknown[] = thrown instanceof AggregateError ? thrown.errors : [thrown];
  for (const error of errors) {
    const isTold =
      error instanceof AppError || error instanceof GatelmError || error instanceof ConnectionError;
    console.error(`gatelm: ${isTold ? error.message : (error as Error).stack}`);
  }
  const isUnreachable = errors.some((error) => error instanceof ConnectionError);
  if (isUnreachable)
    console.error(`Start one with ${startCommand()}, or name another with GATELM_URL or --url.`);
  process.exit(isUnreachable ? EXIT.unreachable : EXIT.error);
}
