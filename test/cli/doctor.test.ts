import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { describeState } from '../../src/cli/doctor/describe-state.js';
import type { MachineState } from '../../src/cli/doctor/examine.js';
import { findProblems } from '../../src/cli/doctor/find-problems.js';

const GATELM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gatelm-doctor-'));
after(() => rmSync(folder, { recursive: true }));

const SETUP: NonNullable<MachineState['setup']> = {
  backend: 'native',
  kernels: 'fused',
  tensorflow: '2.21.0',
  source: 'wheel',
  reasons: [],
  dashboardReasons: [],
  sqlite: '3.53.2',
  pending: [],
  python: 'Python 3.11.7 (/usr/bin/python3)',
  compiler: 'g++ 12.2.0 (/usr/bin/g++)',
  missingTools: [],
  toolsAdvice: 'install a C++ compiler',
  cpuPath: { used: 'avx512', best: 'avx512' },
  cache: { folder: '/home/me/.cache/gatelm', bytes: 9e8 },
  logsDir: '/gatelm/dist/.setup/logs',
  command: 'npm run setup --',
};
const BACKEND: NonNullable<MachineState['backend']> = {
  backend: 'native',
  kernels: 'fused',
  instructions: 'avx512',
  threads: 4,
  cpu: 'A processor',
  notes: [],
};
const FAST: MachineState = {
  version: '1.0.0',
  installedAs: 'checkout',
  root: '/gatelm',
  node: { version: 'v20.0.0', path: '/usr/bin/node', platform: 'linux x64' },
  setup: SETUP,
  backend: BACKEND,
  backendError: null,
  cpu: { model: 'A processor', cores: 4, quota: null, load: 0.5 },
  memory: { availableBytes: 8e9 },
  data: { folder: '/gatelm/data', freeBytes: 1e11, error: null },
  dashboard: true,
};

describe('gatelm doctor', () => {
  it('finds nothing on a machine where all is well, and says so', () => {
    assert.deepEqual(findProblems(FAST), []);
    const text = describeState(FAST, []);
    assert.match(text, /^backend +native TensorFlow 2\.21\.0 \(source: wheel\)$/m);
    assert.match(text, /^kernels +fused, avx512$/m);
    assert.match(text, /^threads +4 of 4 cores$/m);
    assert.match(text, /No problems found\.$/);
  });

  const cases: readonly [string, MachineState, 'error' | 'warning', RegExp][] = [
    [
      'the WebAssembly backend, with what set-up tried and how to try again',
      {
        ...FAST,
        backend: { ...BACKEND, backend: 'wasm', kernels: 'composed' },
        setup: {
          ...SETUP,
          reasons: ['libtensorflow could not be installed, wheel: make not found'],
          missingTools: ['make'],
        },
      },
      'warning',
      /WebAssembly.*wheel: make not found.*install a C\+\+ compiler; then npm run setup -- --retry/s,
    ],
    [
      'composed kernels',
      {
        ...FAST,
        backend: { ...BACKEND, kernels: 'composed' },
        setup: { ...SETUP, reasons: ['the fused kernels were not built: a.cc:1: error'], cpuPath: null },
      },
      'warning',
      /composed kernels.*a\.cc:1: error.*npm run setup -- --retry/s,
    ],
    [
      'instructions that are not the best of the processor',
      { ...FAST, setup: { ...SETUP, cpuPath: { used: 'avx2', best: 'avx512' } } },
      'warning',
      /use avx2, this processor supports avx512.*GATELM_CPU/s,
    ],
    [
      'more threads than a container may use',
      { ...FAST, cpu: { ...FAST.cpu, quota: 1.5 } },
      'warning',
      /4 threads on 1 core:.*container.*GATELM_THREADS=1/s,
    ],
    ['a busy machine', { ...FAST, cpu: { ...FAST.cpu, load: 9 } }, 'warning', /load 9\.0 on 4 cores/],
    ['little memory', { ...FAST, memory: { availableBytes: 3e8 } }, 'warning', /0\.3 GB of memory/],
    [
      'a full disk',
      { ...FAST, data: { ...FAST.data, freeBytes: 2e8 } },
      'warning',
      /0\.2 GB are free.*GATELM_DATA_DIR/s,
    ],
    [
      'a data folder that cannot be written',
      { ...FAST, data: { ...FAST.data, error: 'EACCES: permission denied' } },
      'error',
      /\/gatelm\/data cannot be written.*EACCES/s,
    ],
    ['a database that does not load', { ...FAST, setup: { ...SETUP, sqlite: null } }, 'error', /no database/],
    [
      'a backend that does not load',
      { ...FAST, backend: null, backendError: 'no such library' },
      'error',
      /TensorFlow cannot be loaded.*no such library.*GATELM_BACKEND/s,
    ],
    [
      'a dashboard that could not be built',
      { ...FAST, dashboard: false, setup: { ...SETUP, dashboardReasons: ['dashboard-build failed'] } },
      'warning',
      /no dashboard.*dashboard-build failed.*--retry/s,
    ],
    [
      'a set-up that is not complete',
      { ...FAST, setup: { ...SETUP, pending: ['kernels'] } },
      'warning',
      /not complete: kernels.*to do: npm run setup$/s,
    ],
  ];
  for (const [what, state, severity, text] of cases) {
    it(`names ${what}`, () => {
      const problems = findProblems(state);
      assert.deepEqual(
        problems.map((problem) => problem.severity),
        [severity],
      );
      assert.match(describeState(state, problems), text);
    });
  }

  it('gives JSON of this machine, and its exit code says whether gatelm runs', () => {
    const data = join(folder, 'data');
    const { status, stdout, stderr } = run('doctor', '--json', '--data-dir', data);
    assert.equal(status, 0, stderr);
    const state = JSON.parse(stdout) as MachineState & { problems: unknown[] };
    assert.equal(state.data.folder, data);
    assert.ok(state.backend);
    assert.ok(state.setup?.sqlite);
    assert.equal(state.node.version, process.version);
    writeFileSync(join(folder, 'file'), '');
    const broken = run('doctor', '--data-dir', join(folder, 'file'));
    assert.equal(broken.status, 1, broken.stdout);
    assert.match(broken.stdout, /✗ the data folder .*file cannot be written\n {4}why: .*\n {4}to do: /);
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), '');
  });
});

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [GATELM, ...args], { encoding: 'utf8' });
}
