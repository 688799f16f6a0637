import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, loadavg } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { ComputeOptions } from '../../compute/host-environment.js';
import { LocalTrainingExecutor } from '../../compute/local-training-executor.js';
import { parseEnvironment } from '../../contracts/environment.js';
import type { BackendReport } from '../../contracts/jobs.js';
import { packageVersion } from '../../package-version.js';
import { isCheckout, PACKAGE_ROOT, SETUP_SCRIPT } from '../set-up.js';

/** What `setup.mjs --report` prints. */
const SetupReport = z.object({
  backend: z.enum(['native', 'wasm']),
  kernels: z.enum(['fused', 'composed']),
  tensorflow: z.string().nullable().describe('Version of libtensorflow'),
  source: z.string().nullable().describe('Source of libtensorflow'),
  reasons: z.array(z.string()).describe('Why the backend is not native with fused kernels'),
  dashboardReasons: z.array(z.string()).describe('Why the dashboard could not be built'),
  sqlite: z.string().nullable().describe('Version of SQLite; null if it cannot be loaded'),
  pending: z.array(z.string()).describe('Pending steps of set-up'),
  python: z.string().nullable(),
  compiler: z.string().nullable(),
  missingTools: z.array(z.string()),
  toolsAdvice: z.string(),
  cpuPath: z
    .object({ used: z.string(), best: z.string() })
    .nullable()
    .describe('Instruction set of the kernels'),
  cache: z.object({ folder: z.string(), bytes: z.number() }),
  logsDir: z.string(),
  command: z.string().describe('The command that runs set-up'),
});

/** The facts that doctor collects about the machine. */
export interface MachineState {
  readonly version: string;
  readonly installedAs: 'checkout' | 'package';
  readonly root: string;
  readonly node: { readonly version: string; readonly path: string; readonly platform: string };
  /** Null in a container image, where set-up ran during the build. */
  readonly setup: z.infer<typeof SetupReport> | null;
  /** The backend that trainings will use. */
  readonly backend: BackendReport | null;
  readonly backendError: string | null;
  readonly cpu: {
    readonly model: string;
    readonly cores: number;
    /** The CPU limit of the cgroup, in cores; null = no limit. */
    readonly quota: number | null;
    /** Load average of the last minute. */
    readonly load: number;
  };
  readonly memory: { readonly availableBytes: number };
  readonly data: { readonly folder: string; readonly freeBytes: number; readonly error: string | null };
  readonly dashboard: boolean;
}

const run = promisify(execFile);

/** @throws validation-failed for an invalid environment variable */
export async function examine(env: NodeJS.ProcessEnv): Promise<MachineState> {
  const { backend, kernels, threads, dataDir } = parseEnvironment(env);
  const setup = await readSetup();
  const loaded = await loadBackend({ backend, kernels, threads });
  return {
    version: packageVersion(),
    installedAs: isCheckout() ? 'checkout' : 'package',
    root: PACKAGE_ROOT,
    node: {
      version: process.version,
      path: process.execPath,
      platform: `${process.platform} ${process.arch}`,
    },
    setup,
    ...loaded,
    cpu: {
      model: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      quota: await readCpuQuota(),
      load: loadavg()[0] ?? 0,
    },
    memory: { availableBytes: await readAvailableMemory() },
    data: await examineFolder(resolve(dataDir)),
    dashboard: existsSync(join(PACKAGE_ROOT, 'dist', 'dashboard', 'index.html')),
  };
}

async function readSetup(): Promise<MachineState['setup']> {
  if (!existsSync(SETUP_SCRIPT)) return null;
  const { stdout } = await run(process.execPath, [SETUP_SCRIPT, '--report']);
  return SetupReport.parse(JSON.parse(stdout));
}

/** Loads TensorFlow as trainings do, in a separate process. */
async function loadBackend(compute: ComputeOptions): Promise<Pick<MachineState, 'backend' | 'backendError'>> {
  const executor = new LocalTrainingExecutor({ compute, files: { dataDirectory: '.', mirror: null } });
  try {
    return { backend: await executor.warmUp(), backendError: null };
  } catch (error) {
    return { backend: null, backendError: (error as Error).message };
  } finally {
    await executor.close();
  }
}

/** Whether the data folder, or the folder in which it will be created, is writable, and its free space. */
async function examineFolder(folder: string): Promise<MachineState['data']> {
  let present = folder;
  while (!existsSync(present) && dirname(present) !== present) present = dirname(present);
  const { bavail, bsize } = await statfs(present);
  const error = (await stat(present)).isDirectory()
    ? await access(present, constants.W_OK).then(
        () => null,
        (reason: Error) => reason.message,
      )
    : `${present} is a file`;
  return { folder, freeBytes: bavail * bsize, error };
}

/** The CPU limit of a container (cgroup v2): Node counts the cores of the machine, not those that the container may use. */
async function readCpuQuota(): Promise<number | null> {
  const text = await readFile('/sys/fs/cgroup/cpu.max', 'utf8').catch(() => '');
  const [quota, period] = text.trim().split(' ').map(Number);
  return quota && period ? quota / period : null;
}

/** Available memory; on Linux, free memory excludes the page cache, which can be reclaimed. */
async function readAvailableMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kibibytes = /^MemAvailable: +(\d+) kB$/m.exec(text)?.[1];
  return kibibytes ? Number(kibibytes) * 1024 : freemem();
}
