import type { MachineState } from './examine.js';
import { gigabytes, type Problem } from './find-problems.js';

/** The state and its problems as text, one fact per line. */
export function describeState(state: MachineState, problems: readonly Problem[]): string {
  const width = Math.max(...facts(state).map(([name]) => name.length));
  return [
    ...facts(state).map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    ...(problems.length === 0 ? ['No problems found.'] : problems.flatMap(describeProblem)),
  ].join('\n');
}

function describeProblem({ severity, what, why, todo }: Problem): string[] {
  return [`${severity === 'error' ? '✗' : '!'} ${what}`, `    why: ${why}`, `    to do: ${todo}`];
}

function facts(state: MachineState): [name: string, value: string][] {
  const { setup, backend, cpu } = state;
  return [
    ['gatelm', `${state.version}, ${state.installedAs} in ${state.root}`],
    ['node', `${state.node.version}, ${state.node.platform} (${state.node.path})`],
    ...(setup
      ? ([
          ['python', setup.python ?? 'not found'],
          ['compiler', setup.compiler ?? 'not found'],
          ['database', setup.sqlite ? `SQLite ${setup.sqlite}` : 'cannot be loaded'],
        ] as [string, string][])
      : []),
    ['backend', describeBackend(state)],
    ['kernels', describeKernels(state)],
    [
      'threads',
      `${backend?.threads ?? '–'} of ${cpu.cores} cores${cpu.quota ? ` (limit ${cpu.quota})` : ''}`,
    ],
    ['processor', `${cpu.model}, load ${cpu.load.toFixed(1)}`],
    ['memory', `${gigabytes(state.memory.availableBytes)} available`],
    ['data', `${state.data.folder}, ${gigabytes(state.data.freeBytes)} free`],
    ...(setup
      ? ([
          ['cache', `${setup.cache.folder}, ${gigabytes(setup.cache.bytes)}`],
          ['logs', setup.logsDir],
        ] as [string, string][])
      : []),
    ['dashboard', state.dashboard ? 'available at /' : 'not built'],
  ];
}

function describeBackend({ backend, setup }: MachineState): string {
  if (!backend) return 'none';
  if (backend.backend === 'wasm') return 'WebAssembly';
  const version = setup?.tensorflow ? ` ${setup.tensorflow}` : '';
  const source = setup?.source ? ` (source: ${setup.source})` : '';
  return `native TensorFlow${version}${source}`;
}

function describeKernels({ backend, setup }: MachineState): string {
  const path = setup?.cpuPath ? `, ${setup.cpuPath.used}` : '';
  return backend ? `${backend.kernels}${backend.kernels === 'fused' ? path : ''}` : 'none';
}
