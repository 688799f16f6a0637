import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../../test/fixtures/', import.meta.url);

/** A fixture that `test/fixtures/NAME.py` wrote. @param version of its layout that the test understands */
export function readFixture<Content>(name: string, version: number): Content {
  const fixture = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as { version: number };
  assert.equal(
    fixture.version,
    version,
    `test/fixtures/${name}.json has another version than its test; run python test/fixtures/${name}.py`,
  );
  return fixture as Content;
}
