import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { importsOf, ROOT } from './source-imports.js';

/** Folders that a folder may import besides itself, node's own modules and OF_ALL. The design's table, section 2. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  files: ['contracts'],
  tokenizers: ['contracts'],
  corpora: ['files', 'tokenizers', 'contracts'],
  batches: ['contracts'],
  tensor: [],
  kernels: ['tensor', 'contracts'],
  layers: ['kernels', 'tensor'],
  models: ['layers', 'kernels', 'tensor', 'contracts'],
  training: [
    'models',
    'layers',
    'kernels',
    'tensor',
    'batches',
    'corpora',
    'tokenizers',
    'contracts',
    'evaluation',
  ],
  evaluation: ['models', 'layers', 'kernels', 'tensor', 'batches', 'corpora', 'tokenizers', 'contracts'],
  generation: ['models', 'layers', 'tensor', 'batches', 'corpora', 'tokenizers', 'contracts'],
  checkpoints: ['models', 'training', 'layers', 'kernels', 'tensor', 'tokenizers', 'files', 'contracts'], // the gate order is the layers'
  tasks: [
    'checkpoints',
    'training',
    'evaluation',
    'generation',
    'models',
    'kernels',
    'corpora',
    'tokenizers',
    'files',
    'contracts',
  ],
  store: ['contracts'],
  interchange: ['contracts'],
  sweeps: ['contracts'],
  compute: ['files', 'contracts'],
  experiments: [
    'recipes',
    'store',
    'compute',
    'files',
    'interchange',
    'contracts',
    'corpora',
    'tokenizers',
    'sweeps',
  ],
  server: ['experiments', 'contracts'],
  client: ['contracts'],
  recipes: ['contracts'],
  cli: ['client', 'server', 'experiments', 'compute', 'contracts', 'corpora', 'files'],
};

/** Files of src that every folder may import. */
const OF_ALL = ['errors.js', 'package-version.js'];

/** Packages that a folder may import. */
const PACKAGES: Readonly<Record<string, readonly RegExp[]>> = {
  contracts: [/^zod$/],
  files: [/^zod$/, /^yauzl$/, /^yazl$/, /^@aws-sdk\/client-s3$/],
  tokenizers: [],
  corpora: [/^csv-parse$/, /^yauzl$/],
  batches: [],
  tensor: [/^@tensorflow\//],
  kernels: [],
  layers: [],
  models: [],
  training: [],
  evaluation: [],
  generation: [/^lru-cache$/],
  checkpoints: [/^zod$/, /^lru-cache$/],
  tasks: [],
  store: [/^better-sqlite3$/],
  sweeps: [],
  interchange: [],
  compute: [/^piscina$/, /^zod$/, /^bullmq$/, /^ioredis$/, /^ws$/],
  experiments: [/^piscina$/],
  server: [/^fastify/, /^pino$/, /^@fastify\//, /^zod$/, /^ws$/, /^prom-client$/, /^openapi-types$/],
  client: [/^zod$/, /^ws$/], // zod: types only, so that a browser gets none of it
  recipes: [],
  cli: [/^commander$/, /^zod$/, /^ws$/, /^fastify$/],
};

/** The folder below src that a relative import leads to; the file's own name for what lies in src itself. */
function folderOf(file: string, target: string): string {
  const [first = ''] = relative(join(ROOT, 'src'), resolve(dirname(file), target)).split('/');
  return first;
}

test('every folder of src has a row in the table', () => {
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  for (const { name } of folders) assert.ok(Object.hasOwn(FOLDERS, name), name);
});

test('folders import only what the design lets them', () => {
  const present = new Set(readdirSync(join(ROOT, 'src')));
  const wrong = Object.keys(FOLDERS)
    .filter((folder) => present.has(folder))
    .flatMap((folder) => importsOf(folder).map((found) => ({ ...found, folder })))
    .filter(({ file, folder, target }) => {
      if (target.startsWith('node:')) return false;
      if (!target.startsWith('.')) return !PACKAGES[folder]!.some((known) => known.test(target));
      const into = folderOf(file, target);
      return into !== folder && !OF_ALL.includes(into) && !FOLDERS[folder]!.includes(into);
    })
    .map(({ file, target }) => `${relative(ROOT, file)} imports ${target}`);
  assert.deepEqual(wrong, []);
});

test('only src/tensor names TensorFlow', () => {
  const named = Object.keys(FOLDERS)
    .filter((folder) => folder !== 'tensor')
    .flatMap((folder) => {
      try {
        return importsOf(folder);
      } catch {
        return [];
      }
    })
    .filter(({ target }) => target.startsWith('@tensorflow/'));
  assert.deepEqual(named, []);
});

test('there is no catch-all file', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    files.filter((file) => /(^|\/)(utils?|helpers?|types|misc|common)\.ts$/.test(file)),
    [],
  );
});

/** Module hooks under which every import of TensorFlow fails. */
const REFUSING_HOOK = `data:text/javascript,${encodeURIComponent(`
  export async function resolve(specifier, context, next) {
    if (/@tensorflow\\//.test(specifier)) throw new Error('this process loads ' + specifier);
    return next(specifier, context);
  }
`)}`;

test('a server with its services loads neither TensorFlow nor any library of it', () => {
  const program = `
    import { mkdtempSync, rmSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    import { join } from 'node:path';
    import { createRequire, register } from 'node:module';
    register(${JSON.stringify(REFUSING_HOOK)});
    const { parseEnvironment } = await import('${distOf('src/contracts/environment.js')}');
    const { createServices } = await import('${distOf('src/experiments/services.js')}');
    const { buildApp } = await import('${distOf('src/server/app.js')}');
    const { LocalTrainingExecutor } = await import('${distOf('src/compute/local-training-executor.js')}');
    const { LocalInferenceExecutor } = await import('${distOf('src/compute/local-inference-executor.js')}');
    const dataDir = mkdtempSync(join(tmpdir(), 'gatelm-test-'));
    const environment = { ...parseEnvironment({}), dataDir, port: 0 };
    const files = { dataDirectory: dataDir, mirror: null };
    const services = createServices({
      environment,
      trainingExecutor: new LocalTrainingExecutor({ files }),
      inferenceExecutor: new LocalInferenceExecutor({ files }),
    });
    const app = await buildApp(services);
    const { statusCode } = await app.inject('/experiments');
    const { sharedObjects } = process.report.getReport();
    const modules = Object.keys(createRequire(import.meta.url).cache ?? {});
    await app.close();
    await services.close();
    rmSync(dataDir, { recursive: true });
    const hookWorks = await import('@tensorflow/tfjs-core').then(() => false, () => true);
    console.log(JSON.stringify({ statusCode, sharedObjects, modules, hookWorks }));
  `;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr.slice(-2000));
  const { statusCode, sharedObjects, modules, hookWorks } = JSON.parse(stdout.trim().split('\n').at(-1)!);
  assert.equal(statusCode, 200);
  assert.ok(hookWorks, 'an import of TensorFlow would have failed');
  assert.ok(
    sharedObjects.some((name: string) => name.includes('better_sqlite3')),
    'the report sees native modules',
  );
  assert.ok(
    modules.some((name: string) => name.includes('fastify')),
    'the cache sees modules',
  );
  const loaded = [...sharedObjects, ...modules];
  assert.deepEqual(
    loaded.filter((name: string) => /@tensorflow\/|libtensorflow|tfjs_binding/.test(name)),
    [],
  );
});

function distOf(file: string): string {
  return new URL(`../../${file}`, import.meta.url).href;
}
