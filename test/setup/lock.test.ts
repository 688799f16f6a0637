import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadSetupModule } from './setup-module.js';

interface Lock {
  withLock<Result>(file: string, say: (text: string) => void, body: () => Promise<Result>): Promise<Result>;
}

const { withLock } = await loadSetupModule<Lock>('lock');
const module = new URL('../../../scripts/setup/lock.mjs', import.meta.url).href;

const folder = mkdtempSync(join(tmpdir(), 'gatelm-lock-'));
after(() => rmSync(folder, { recursive: true }));

const never = (text: string): void => assert.fail(text);

describe('the lock', () => {
  it('lets the second wait until the first has finished, and tells it for whom', async () => {
    const file = join(folder, 'second');
    const order: string[] = [];
    const told: string[] = [];
    const first = withLock(file, never, async () => {
      order.push('first in');
      await untilTrue(() => told.length > 0);
      order.push('first out');
    });
    const second = withLock(
      file,
      (text) => told.push(text),
      async () => order.push('second in'),
    );
    await Promise.all([first, second]);
    assert.deepEqual(order, ['first in', 'first out', 'second in']);
    assert.equal(told.length, 1);
    assert.match(told[0]!, new RegExp(`another set-up \\(process ${process.pid}\\).*remove ${file}`));
    assert.equal(existsSync(file), false);
  });

  it('is released when the body throws', async () => {
    const file = join(folder, 'throws');
    const body = async (): Promise<void> => Promise.reject(new Error('no'));
    await assert.rejects(withLock(file, never, body), /no/);
    assert.equal(await withLock(file, never, async () => 'again'), 'again');
  });

  it('is taken over at once from a process that has died', async () => {
    const file = join(folder, 'dead');
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    writeFileSync(file, String(dead.pid));
    assert.equal(await withLock(file, never, async () => 'mine'), 'mine');
  });

  it('is taken over from a process that has ended and that nobody waited for', {
    skip: process.platform !== 'linux' && 'its state is read from /proc',
  }, async () => {
    const file = join(folder, 'zombie');
    // It ends when its parent has become a program that waits for nobody: a shell might have waited for it.
    const child = 'until grep -q "^sleep" /proc/$$/comm; do sleep 0.01; done';
    const parent = spawn('sh', ['-c', `(${child}) > /dev/null & echo $!; exec sleep 60`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = String(output).trim();
    await untilTrue(() => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    writeFileSync(file, pid);
    assert.equal(await withLock(file, never, async () => 'mine'), 'mine');
    parent.kill();
  });

  it('is taken over from a process of the same number that ended: numbers recur in containers', async () => {
    const file = join(folder, 'recurs');
    writeFileSync(file, String(process.pid));
    assert.equal(await withLock(file, never, async () => 'mine'), 'mine');
  });

  it('is taken over from whoever has held it longer than any set-up takes, or from nobody known', async () => {
    for (const content of [String(process.ppid), '']) {
      const file = join(folder, `old-${content.length}`);
      writeFileSync(file, content);
      const before = new Date(Date.now() - 3 * 60 * 60_000 - 1000);
      utimesSync(file, before, before);
      assert.equal(await withLock(file, never, async () => 'mine'), 'mine');
    }
  });

  it('is held by one of six processes at a time, which all find the lock of a dead one', async () => {
    const file = join(folder, 'six');
    const log = join(folder, 'six.log');
    writeFileSync(log, '');
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    writeFileSync(file, String(dead.pid));
    const script = `
      import { appendFileSync } from 'node:fs';
      import { setTimeout as wait } from 'node:timers/promises';
      import { withLock } from ${JSON.stringify(module)};
      await withLock(${JSON.stringify(file)}, () => {}, async () => {
        appendFileSync(${JSON.stringify(log)}, 'in ' + process.pid + '\\n');
        await wait(20);
        appendFileSync(${JSON.stringify(log)}, 'out ' + process.pid + '\\n');
      });`;
    const children = Array.from({ length: 6 }, () => run(script));
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number));
    assert.deepEqual(codes, [0, 0, 0, 0, 0, 0]);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    assert.equal(lines.length, 12);
    for (let index = 0; index < lines.length; index += 2) {
      assert.equal(lines[index]!.replace('in', 'out'), lines[index + 1], lines.join('\n'));
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('six')),
      ['six.log'],
    );
  });
});

function run(script: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
}

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
