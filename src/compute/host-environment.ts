/** Backend options of the hosts; named like the environment variables. */
export interface ComputeOptions {
  readonly backend: 'auto' | 'native' | 'wasm';
  readonly kernels: 'auto' | 'fused' | 'composed';
  /** Threads of one kernel; null = one for each core. */
  readonly threads: number | null;
}

export const AUTOMATIC_COMPUTE: ComputeOptions = { backend: 'auto', kernels: 'auto', threads: null };

/** Variables that are not passed to hosts. */
const SECRETS = [
  'GATELM_API_KEYS',
  'GATELM_TRAINER_KEY',
  'GATELM_INFERENCER_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/**
 * The environment of a host process. TensorFlow reads its variables when it is loaded, so they must be set before
 * the process starts.
 */
export function hostEnvironment(
  { backend, kernels, threads }: ComputeOptions,
  inherited: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...inherited,
    GATELM_BACKEND: backend,
    GATELM_KERNELS: kernels,
    TF_CPP_MIN_LOG_LEVEL: inherited.TF_CPP_MIN_LOG_LEVEL ?? '2',
  };
  if (threads !== null) {
    environment.GATELM_THREADS = String(threads);
    environment.TF_NUM_INTRAOP_THREADS = String(threads);
    environment.OMP_NUM_THREADS = String(threads);
  }
  for (const name of SECRETS) delete environment[name];
  return environment;
}
