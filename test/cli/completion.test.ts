import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';
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
  assert.deepEqual(completeInBash(source, ['gatelm', 'train', '--preset', 'zar']), [
    'zaremba-medium',
    'zaremba-large',
  ]);
  assert.deepEqual(completeInBash(source, ['gatelm', 'completion', '']), ['bash', 'zsh', 'fish']);
  const file = join(REPOSITORY, 'package.json');
  assert.deepEqual(completeInBash(source, ['gatelm', 'import', '--config', file.slice(0, -2)]), [file]);
});

/** An interactive zsh in a terminal of its own, in which somebody types and presses Tab. */
const ZSH = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1= PS2=; source $1; print ready-\\$((1+1))"
zpty -r shell output '*ready-2*'
zpty -w -n shell $'gatelm corpora up\\t'
zpty -r shell output '*corpora up*load*'
zpty -w -n shell $'\\C-ugatelm train --budg\\t'
zpty -r shell output '*train --budg*et*'
print completed
zpty -d shell
`;

test('zsh completes when Tab is pressed', { skip: !has('zsh') && 'no zsh here' }, async (context) => {
  const file = join(temporaryFolder(context), 'completion.zsh');
  writeFileSync(file, await script('zsh'));
  const { stdout, stderr, status } = spawnSync('zsh', ['-f', '-c', ZSH, 'zsh', file], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /completed/);
});

test('fish completes commands, their parts and their options, with what they do', {
  skip: !has('fish') && 'no fish here',
}, async () => {
  const source = await script('fish');
  const complete = (line: string) => {
    const program = `${source}\ncomplete -C '${line}'`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', program], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.trim().split('\n');
  };
  assert.match(complete('gatelm ser').join('\n'), /^serve\t\w.*$/);
  assert.match(complete('gatelm corpora up').join('\n'), /^upload\t\w.*$/);
  assert.ok(complete('gatelm train --b').some((line) => line.startsWith('--budget\t')));
  assert.match(complete('gatelm list --state fai').join('\n'), /^failed\b/);
});

test('a shell that is not known is named with those that are', async () => {
  const { code, stderr } = await runGatelm('', ['completion', 'tcsh']);
  assert.equal(code, 1);
  assert.match(stderr, /bash, zsh, fish; got tcsh/);
});
