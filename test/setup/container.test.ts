import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

interface Compose {
  readonly services: Record<string, { readonly build?: string; readonly volumes: readonly string[] }>;
  readonly volumes: Record<string, unknown>;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const [build = '', runtime = ''] = stages(read('Dockerfile'));
const ignored = read('.dockerignore')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'));

describe('the Dockerfile', () => {
  it('copies from the checkout what is there and is not ignored', () => {
    const sources = copiesOf(build).flatMap(({ sources }) => sources);
    assert.ok(sources.length > 3);
    for (const source of sources.filter((source) => source !== '.')) {
      assert.ok(existsSync(join(root, source)), `${source} is not there`);
      assert.ok(!ignored.some((pattern) => source === pattern || source.startsWith(`${pattern}/`)), source);
    }
  });

  it('takes all that the server reads into the second stage', () => {
    const taken = copiesOf(runtime).flatMap(({ sources }) => sources);
    // The dashboard is in dist.
    for (const needed of ['package.json', 'node_modules', 'dist', 'native/build', 'migrations'])
      assert.ok(taken.includes(`/app/${needed}`), needed);
  });

  it('starts the command of package.json, as a user without rights, with its data in a volume', () => {
    const [command] = Object.values(
      (JSON.parse(read('package.json')) as { bin: Record<string, string> }).bin,
    );
    assert.match(runtime, new RegExp(`^ENTRYPOINT \\["node", "${command}"\\]$`, 'm'));
    assert.match(runtime, /^USER node$/m);
    assert.match(runtime, /^VOLUME \/data$/m);
    assert.match(runtime, /^ {4}GATELM_DATA_DIR=\/data /m);
    assert.ok(runtime.indexOf('chown node:node /data') < runtime.indexOf('VOLUME /data'));
  });

  it('holds no API key, and asks /healthz whether the server is well', () => {
    assert.doesNotMatch(build + runtime.replace(/^#.*$/gm, ''), /GATELM_API_KEYS/);
    const [, command = ''] = /^HEALTHCHECK .*\\\n {2}CMD (\[.*\])$/m.exec(runtime) ?? [];
    const [program, flag, script = ''] = JSON.parse(command) as string[];
    assert.deepEqual([program, flag], ['node', '-e']);
    assert.match(script, /\/healthz/);
    assert.doesNotThrow(() => new Function(script), 'its script is JavaScript');
  });
});

describe('docker-compose.yml', () => {
  it('is YAML, and mounts no volume that it does not declare', () => {
    // The parser that @fastify/swagger brings, from where that finds it.
    const ofSwagger = createRequire(createRequire(import.meta.url).resolve('@fastify/swagger'));
    const yaml = ofSwagger('yaml') as { parse(text: string): Compose };
    const { services, volumes } = yaml.parse(read('docker-compose.yml'));
    assert.deepEqual(Object.keys(services), ['gatelm', 'queue', 'trainer', 'inferencer']);
    for (const [name, { build, volumes: mounts = [] }] of Object.entries(services)) {
      assert.equal(build, name === 'gatelm' ? '.' : undefined); // a trainer and an inferencer run the image that is built for the server
      for (const mount of mounts) assert.ok(mount.split(':')[0]! in volumes, mount);
    }
  });

  it('opens the port on loopback alone, asks for API keys, and keeps /data in a volume', () => {
    const compose = read('docker-compose.yml');
    assert.match(compose, /^ {6}- "127\.0\.0\.1:8080:8080"$/m);
    assert.match(compose, /^ {6}GATELM_API_KEYS: \$\{GATELM_API_KEYS:\?/m);
    const [, volume] = /^ {6}- (\w+):\/data$/m.exec(compose) ?? [];
    assert.match(compose, new RegExp(`^volumes:\\n {2}${volume}:$`, 'm'));
  });
});

/** The instructions of each stage, comments left out. */
function stages(dockerfile: string): string[] {
  return dockerfile
    .replace(/^#.*\n/gm, '')
    .split(/^(?=FROM )/m)
    .filter((stage) => stage.startsWith('FROM '));
}

function copiesOf(stage: string): { sources: string[] }[] {
  return [...stage.matchAll(/^COPY (?:--\S+ )*(.+) \S+$/gm)].map(([, sources = '']) => ({
    sources: sources.split(' '),
  }));
}
