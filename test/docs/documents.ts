/** The Markdown documents of the repository, and what their tests read out of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../support/gatelm-server.js';

/** README.md, docs/http.md, …, relative to the repository. */
export const DOCUMENTS = ['.', 'docs', 'examples']
  .flatMap((folder) => readdirSync(join(REPOSITORY, folder)).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.md'))
  .sort();

export const readDocument = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');

/** The bodies of the fenced blocks in a language. */
export function codeBlocks(document: string, language: string): string[] {
  return [...document.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, body]) => body!,
  );
}

/** A document without its fenced blocks. */
export function prose(document: string): string {
  return document.replace(/^```.*?^```/gms, '');
}

/** What stands between single backticks outside of the blocks. */
export function inlineCode(document: string): string[] {
  return [...prose(document).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
}

/** The targets of its links and images. */
export function linkTargets(document: string): string[] {
  const withoutCode = prose(document).replace(/`[^`\n]*`/g, '');
  return [...withoutCode.matchAll(/\]\(\s*<?([^)\s>]+)/g)].map(([, target]) => target!);
}

/** The anchors of its headings, as GitHub makes them. */
export function anchors(document: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(document).matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading]) => {
    const slug = heading!
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}
