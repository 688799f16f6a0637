import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { loadSetupModule } from './setup-module.js';

interface Command {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly logsDir: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly limitSeconds?: number;
}

interface CommandModule {
  runCommand(command: Command): Promise<string>;
}

interface OutputModule {
  describeFailure(
    message: string,
    error: { tried: string[]; output: string; logFile: string },
    advice: string[],
  ): string;
  reasonOf(error: unknown): string;
}

const { runCommand } = await loadSetupModule<CommandModule>('command');
const { describeFailure, reasonOf } = await loadSetupModule<OutputModule>('output');
const module = new URL('../../../scripts/setup/command.mjs', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'gatelm-command-'));
after(() => rmSync(folder, { recursive: true }));

/** Longer than any machine takes for it. */
const ENOUGH_MS = 20_000;

describe('a command of set-up', () => {
  it('gives what it printed, and keeps it in a log', async () => {
    const output = await runCommand(node('prints', 'console.log("one"); console.error("two")'));
    assert.match(output, /one\ntwo$/);
    assert.equal(readFileSync(join(folder, 'logs', 'prints.log'), 'utf8').trimEnd(), output);
  });

  it('that fails shows the end of its output, without the credentials of an address', async () => {
    const script = `
      for (let line = 0; line < 100; line++) console.log('line ' + line);
      console.log('from https://user:secret@example.org/simple');
      process.exit(3);`;
    await assert.rejects(runCommand(node('fails', script)), (error: Error & { output: string }) => {
      assert.equal(error.message, 'fails failed with exit code 3');
      assert.equal(error.output.split('\n').length, 25);
      assert.match(error.output, /line 99\nfrom https:\/\/…@example\.org\/simple$/);
      return true;
    });
  });

  it('that is not there is named', async () => {
    const command = { ...node('absent', ''), program: join(folder, 'absent') };
    await assert.rejects(runCommand(command), /absent was not found/);
  });

  it('that hangs is stopped at its limit', async () => {
    const command = { ...node('hangs', 'setInterval(() => {}, 1000)'), limitSeconds: 0.5 };
    await assert.rejects(runCommand(command), /hangs was stopped: it took longer than 0\.5 s/);
  });

  it('ends with the set-up that started it, even when that is killed', async () => {
    const pidFile = join(folder, 'pid');
    const script = `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
      setInterval(() => {}, 1000);`;
    const setUp = startSetUp(`
      import { runCommand } from ${JSON.stringify(module)};
      await runCommand(${JSON.stringify({ ...node('orphan', script), env: {} })});`);
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    setUp.kill('SIGKILL');
    await once(setUp, 'exit');
    await until(() => !isAlive(pid));
  });
});

describe('a failure', () => {
  it('is told with what was tried, the output, and what to do', () => {
    const text = describeFailure(
      'no database',
      { tried: ['a download: no such host'], output: 'one\ntwo', logFile: '/logs/x.log' },
      ['install a compiler'],
    );
    assert.equal(
      text,
      [
        'no database',
        'tried a download: no such host',
        '| one',
        '| two',
        'all of its output: /logs/x.log',
        'to do: install a compiler',
      ].join('\n'),
    );
  });

  it('is stored as its first line, without credentials', () => {
    assert.equal(reasonOf(new Error('no https://me:key@host/x\nat line 3')), 'no https://…@host/x');
  });
});

function node(name: string, script: string): Command {
  return {
    name,
    program: process.execPath,
    args: ['-e', script],
    logsDir: join(folder, 'logs'),
    cwd: folder,
    env: process.env,
  };
}

function startSetUp(script: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + ENOUGH_MS; !condition(); ) {
    assert.ok(Date.now() < end, 'waited in vain');
    await wait(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !(process.platform === 'linux' && /\) Z \d/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  } catch {
    return false;
  }
}
