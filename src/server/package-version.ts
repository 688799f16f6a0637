import { readFileSync } from 'node:fs';

/** gatelm's version. package.json stands above the compiled files, at a depth that does not change. */
export function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
