/** Every link, path and command that a document names leads somewhere. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY } from '../support/gatelm-server.js';
import { anchors, DOCUMENTS, inlineCode, linkTargets, readDocument } from './documents.js';

const inRepository = (path: string) => existsSync(join(REPOSITORY, path));
/** A path of the repository, and nothing that stands for many or for one to be. */
const PATH = /^(?:src|test|docs|examples|bench|results|scripts|native|web|workers|migrations)\/[\w./-]+$/;

test('the anchors are those of GitHub', () => {
  const document =
    '# The `tools` & a [link](x.md)\n\n## Twice\n\n## Twice\n\n```\n# not one\n```\n## 6.3 LSTM の実装\n';
  assert.deepEqual(anchors(document), ['the-tools--a-link', 'twice', 'twice-1', '63-lstm-の実装']);
});

for (const path of DOCUMENTS) {
  test(`the links of ${path} lead to files and headings that exist`, () => {
    for (const target of linkTargets(readDocument(path))) {
      if (/^https?:/.test(target)) {
        assert.ok(URL.canParse(target), target);
        continue;
      }
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? path : normalize(join(dirname(path), decodeURI(file)));
      assert.ok(inRepository(linked), `${path} links to ${target}`);
      if (anchor === undefined) continue;
      const known = anchors(readDocument(linked));
      assert.ok(
        known.includes(decodeURI(anchor)),
        `${path} links to ${target}; there is ${known.join(', ')}`,
      );
    }
  });

  test(`the files that ${path} names exist`, () => {
    for (const code of inlineCode(readDocument(path)).filter((code) => PATH.test(code)))
      assert.ok(inRepository(code), `${path} names ${code}`);
    for (const [, program] of readDocument(path).matchAll(/\bnode (?:--test )?dist\/([\w./-]+)\.js/g))
      assert.ok(inRepository(`${program}.ts`), `${path} runs ${program}.js`);
  });

  test(`the npm scripts that ${path} names exist`, () => {
    const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
    for (const [, name] of readDocument(path).matchAll(/\bnpm run ([\w:]+)/g))
      assert.ok(Object.hasOwn(scripts, name!), `${path}: npm run ${name}`);
  });
}

test('every page can be reached from README.md', () => {
  const reached = new Set<string>(['README.md']);
  for (const path of reached) {
    const linked = linkTargets(readDocument(path)).map((target) => target.split('#')[0]!);
    for (const target of linked.filter((name) => name.endsWith('.md') && !name.startsWith('http')))
      reached.add(normalize(join(dirname(path), target)));
  }
  assert.deepEqual(
    DOCUMENTS.filter((path) => !reached.has(path)),
    [],
  );
});
