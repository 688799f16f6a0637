/** docs/chapter.md, in both languages, names files, tests and figures that there are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { REPOSITORY } from '../support/gatelm-server.js';
import { codeBlocks, inlineCode, readDocument } from './documents.js';

const LANGUAGES = ['docs/chapter.md', 'docs/chapter.ja.md'] as const;
/** 6.1 … 6.5.5 and the appendix. */
const SECTIONS = ['6.1', '6.2', '6.3', '6.4', '6.5.1', '6.5.2', '6.5.3', '6.5.4', '6.5.5', 'C'];

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');

/** `test/…`: “a part of a test's name”, and where the name is made of variables, the part before them. */
function namedTests(document: string): { file: string; name: string }[] {
  return [...document.matchAll(/`(test\/\S+\.test\.ts)`: “([^”]+)”/g)].map(([, file, name]) => ({
    file: file!,
    name: name!,
  }));
}

/** Rows of tables that begin with a run: its name and the numbers behind it. */
function namedFigures(document: string): { run: string; figures: string[] }[] {
  return [...document.matchAll(/^\|.*`results\/([\w.-]+)\.json`(.*)\|$/gm)].map(([, run, cells]) => ({
    run: run!,
    figures: cells!
      .split('|')
      .map((cell) => cell.trim())
      .filter((cell) => /^[\d.]+$/.test(cell)),
  }));
}

for (const path of LANGUAGES) {
  const document = readDocument(path);
  describe(path, () => {
    it('has every section, with a picture, a file and a test', () => {
      const sections = document.split(/^## /m).slice(1, 1 + SECTIONS.length);
      for (const [index, number] of SECTIONS.entries()) {
        const section = sections[index]!;
        assert.match(section, new RegExp(`^\\D{0,12}${number.replaceAll('.', '\\.')}`), number);
        assert.match(section, /`src\/\S+\.ts`/, `${number} names no file`);
        assert.ok(namedTests(section).length > 0, `${number} names no test`);
        if (number !== '6.5.5') assert.match(section, /^```\n/m, `${number} has no picture`);
      }
    });

    it('names tests that there are', () => {
      for (const { file, name } of namedTests(document))
        assert.ok(read(file).includes(name), `${file}: ${name}`);
    });

    it('has the figures of the runs that it names', () => {
      const rows = namedFigures(document);
      assert.ok(rows.length >= 6);
      for (const { run, figures } of rows) {
        const { curve, test } = JSON.parse(read(`results/${run}.json`)) as Run;
        const epoch = /^\d+$/.test(figures[0]!) ? Number(figures.shift()) : curve.length; // the last one where none is named
        const { trainPerplexity, validPerplexity } = curve[epoch - 1]!;
        const known = [trainPerplexity, validPerplexity, test?.perplexity].map((figure) =>
          figure?.toFixed(1),
        );
        assert.ok(figures.length >= 2, run);
        for (const figure of figures)
          assert.ok(known.includes(figure), `${run}: ${figure} is none of ${known}`);
      }
    });
  });
}

interface Run {
  readonly curve: readonly { readonly trainPerplexity: number; readonly validPerplexity: number }[];
  /** null: it was stopped before. */
  readonly test: { readonly perplexity: number } | null;
}

it('both languages name the same tests, figures, files and configs', () => {
  const [english, japanese] = LANGUAGES.map((path) => readDocument(path));
  assert.deepEqual(namedTests(english!), namedTests(japanese!));
  assert.deepEqual(namedFigures(english!), namedFigures(japanese!));
  const paths = (document: string) => inlineCode(document).filter((code) => /^(src|native|\{)/.test(code));
  assert.deepEqual(paths(english!), paths(japanese!));
  assert.deepEqual(codeBlocks(english!, 'sh'), codeBlocks(japanese!, 'sh'));
});
