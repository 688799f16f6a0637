import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** An import of a source file, of types only or not. */
export interface Import {
  readonly file: string;
  readonly target: string;
}

/** All imports in the files of a folder below src. */
export function importsOf(folder: string): Import[] {
  const base = join(ROOT, 'src', folder);
  return readdirSync(base, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const file = join(base, name);
      const text = readFileSync(file, 'utf8');
      const targets = text.matchAll(
        /^\s*(?:import|export)\b[^'"`;]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'|^import\s+'([^']+)'/gm,
      );
      return [...targets].map((match) => ({ file, target: (match[1] ?? match[2] ?? match[3])! }));
    });
}
