import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { runGatelm } from './run-gatelm.js';

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

async function script(shell: string): Promise<string> {
  const { code, stdout, stderr } = await runGatelm('', ['completion', shell]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** What bash offers after these words. */
function completeInBash(source: string, words: readonly string[]): string[] {
  const program = `${source}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _gatelm; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', program], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim().split('\n');
}

test('bash completes commands, their parts and their options', {
  skip: !has('bash') && 'no bash here',
}, async () => {
  const source = await script('bash');
  assert.deepEqual(completeInBash(source, ['gatelm', 'ser']), ['serve']);
  assert.deepEqual(completeInBash(source, ['gatelm', 'corpora', 'up']), ['upload']);
  assert.ok(completeInBash(source, ['gatelm', 'train', '--']).includes('--budget'));
});

test('zsh and fish accept their scripts', async (context) => {
  for (const shell of ['zsh', 'fish']) {
    const source = await script(shell);
    assert.match(source, /corpora/);
    if (!has(shell)) context.diagnostic(`no ${shell} here: its script was not run`);
    else assert.equal(spawnSync(shell, ['-n'], { input: source, encoding: 'utf8' }).stderr, '');
  }
});

test('a shell that is not known is named with those that are', async () => {
  const { code, stderr } = await runGatelm('', ['completion', 'tcsh']);
  assert.equal(code, 1);
  assert.match(stderr, /bash, zsh, fish; got tcsh/);
});
