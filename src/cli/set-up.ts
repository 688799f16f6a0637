import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

/** The folder of package.json: a checkout, or the package in another project's node_modules. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Absent in the container image, where set-up ran during the build. */
export const SETUP_SCRIPT = join(PACKAGE_ROOT, 'scripts', 'setup.mjs');

/** Commands that load native code. */
const NEED_SET_UP = ['serve', 'quickstart', 'backup', 'restore', 'keys'];

/** Whether this is a checkout of the sources, whose npm scripts run set-up. */
export function isCheckout(): boolean {
  return existsSync(join(PACKAGE_ROOT, 'tsconfig.json'));
}

/** The command that starts the server. */
export function startCommand(): string {
  return isCheckout() ? 'npm start' : 'npx gatelm serve';
}

/** Adds `gatelm setup`, and runs it before the first command of an installed package that needs it. */
export function addSetUp(program: Command): void {
  program
    .command('setup')
    .description(
      'Install the native parts: libtensorflow, kernels, database (--help lists options and variables)',
    )
    .argument('[options...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (options: string[]) => {
      process.exitCode = await runSetUp(options, 'inherit');
    });
  program.hook('preAction', async (_program, command) => {
    const name = topLevelName(command);
    const needsSetUp = NEED_SET_UP.includes(name) || command.opts().local === true;
    if (isCheckout() || !needsSetUp || !existsSync(SETUP_SCRIPT)) return;
    const code = await runSetUp(['--quiet'], process.stderr); // stdout belongs to the command
    if (code !== 0) process.exit(code);
  });
}

function topLevelName(command: Command): string {
  return command.parent?.parent ? topLevelName(command.parent) : command.name();
}

async function runSetUp(options: readonly string[], output: 'inherit' | NodeJS.WriteStream): Promise<number> {
  const child = spawn(process.execPath, [SETUP_SCRIPT, ...options], { stdio: ['ignore', output, output] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
