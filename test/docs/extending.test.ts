/** Applies the diffs of docs/extending.md to a copy of the sources, compiles it and runs the tests that they touch. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { REPOSITORY } from '../support/gatelm-server.js';
import { temporaryFolder } from '../support/service.js';
import { codeBlocks, readDocument } from './documents.js';

const MAX_LINES = 60;
const COPIED = ['src', 'workers', 'test', 'web', 'migrations', 'package.json', 'tsconfig.json'];
const LINKED = ['node_modules', 'native', 'scripts'].filter((name) => existsSync(join(REPOSITORY, name)));

const DIFFS = codeBlocks(readDocument('docs/extending.md'), 'diff');
/** Where a diff adds a line to a list that another test goes through. */
const TESTS_OF_LISTS: Readonly<Record<string, string>> = {
  'test/support/cells.ts': 'test/models/cells.test.ts',
};

/** The test files that a diff adds or changes, or whose list it changes. */
function testsOf(diff: string): string[] {
  const files = [...diff.matchAll(/^\+\+\+ b\/(test\/\S+)$/gm)].map(
    ([, file]) => TESTS_OF_LISTS[file!] ?? file!,
  );
  return files.filter((file) => file.endsWith('.test.ts'));
}

function run(folder: string, command: string, args: readonly string[], input?: string): string {
  const env: NodeJS.ProcessEnv = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  delete env.NODE_TEST_CONTEXT; // the tests inside are no part of this one
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env, input });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

describe('the diffs of docs/extending.md', () => {
  it('add a cell, an optimizer, a corpus, a route and a page, in less than 60 lines each', () => {
    assert.equal(DIFFS.length, 5);
    for (const diff of DIFFS) {
      assert.ok(diff.trimEnd().split('\n').length < MAX_LINES, diff);
      assert.ok(testsOf(diff).length > 0, `no test in ${diff}`);
    }
  });

  it('apply each to the sources as they are, compile together, and pass their tests', (context) => {
    const folder = temporaryFolder(context);
    for (const name of COPIED) cpSync(join(REPOSITORY, name), join(folder, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(REPOSITORY, name), join(folder, name));
    for (const diff of DIFFS) {
      run(folder, 'git', ['apply', '--check', '-'], diff); // alone, each fits what is here
    }
    for (const diff of DIFFS) run(folder, 'git', ['apply', '-'], diff);
    const tests = DIFFS.flatMap(testsOf);
    const config = {
      extends: './tsconfig.json',
      compilerOptions: { incremental: false, tsBuildInfoFile: null, declaration: false, sourceMap: false },
      include: ['src/**/*.ts', 'workers/**/*.ts', 'web/logic/**/*.ts', ...tests],
    };
    writeFileSync(join(folder, 'tsconfig.copy.json'), JSON.stringify(config));
    const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
    run(folder, process.execPath, [tsc, '-p', 'tsconfig.copy.json']);
    run(folder, process.execPath, [tsc, '-p', 'web/tsconfig.json']);
    const built = tests.map((file) => join('dist', file.replace(/\.ts$/, '.js')));
    const only = '--test-name-pattern=rnn|sign-sgd|squares|characters of a corpus|an address names a page';
    const output = run(folder, process.execPath, ['--test', '--test-reporter=tap', only, ...built]);
    assert.match(output, /the numeric gradient, with every kind of dropout/);
    for (const name of [
      'sign-sgd moves',
      'squares is what',
      'the characters of a corpus',
      'an address names',
    ])
      assert.match(output, new RegExp(`^ok \\d+ - ${name}[^#]*$`, 'm'));
  });
});
