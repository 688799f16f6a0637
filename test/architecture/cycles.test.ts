import assert from 'node:assert/strict';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { importsOf, ROOT } from './source-imports.js';

/** What each file imports. */
type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>;

test('no files of src import each other in a circle, types included', () => {
  const graph = graphOfSources();
  assert.ok(graph.get('index.ts')!.size > 10, 'the graph has the imports of src/index.ts');
  assert.equal(findCycle(graph), null);
});

test('a circle of imports is found, whatever its length', () => {
  const graph = (edges: Record<string, string[]>): ImportGraph =>
    new Map(Object.entries(edges).map(([file, targets]) => [file, new Set(targets)]));
  assert.equal(findCycle(graph({ a: ['b', 'c'], b: ['d'], c: ['d'] })), null);
  assert.equal(findCycle(graph({ a: ['a'] })), 'a → a');
  assert.equal(findCycle(graph({ a: ['b'], b: ['c'], c: ['d'], d: ['b'] })), 'b → c → d → b');
});

/** The files of src, and which of them each one imports. */
function graphOfSources(): ImportGraph {
  const graph = new Map<string, Set<string>>();
  const nameOf = (path: string): string => relative(join(ROOT, 'src'), path).replace(/\.js$/, '.ts');
  for (const { file, target } of importsOf('')) {
    if (!target.startsWith('.')) continue;
    const targets = graph.get(nameOf(file)) ?? new Set();
    graph.set(nameOf(file), targets.add(nameOf(resolve(dirname(file), target))));
  }
  return graph;
}

/** The first circle of imports, as text; null where there is none. */
function findCycle(graph: ImportGraph): string | null {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(' → ');
    if (done.has(file)) return null;
    for (const target of graph.get(file) ?? []) {
      const cycle = visit(target, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return null;
}
