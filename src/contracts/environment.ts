/** The environment variables of gatelm: names, defaults, ranges and meanings, here and nowhere else. */
import { z } from 'zod';
import { appError } from '../errors.js';
import { InferenceLimits } from './inference-limits.js';
import { nearestName } from './nearest-name.js';
import { AllowedOrigin, ANY_ORIGIN } from './origin.js';
import { unwrap } from './schema-keys.js';
import { parseOrExplain, type ValidationIssue, validationError } from './validation.js';

const MEBIBYTE = 1024 * 1024;

/** Every field is read from `GATELM_` and its name in capitals: `maxBodyBytes` from GATELM_MAX_BODY_BYTES. */
export const Environment = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address to listen on; all but loopback need API keys'),
  port: z.int().min(0).max(65_535).default(8080).describe('Port to listen on; 0 = any free one'),
  dataDir: z.string().default('./data').describe('Folder of the database, experiments and corpora'),
  corporaMirror: z
    .string()
    .nullable()
    .default(null)
    .describe('Folder or http(s) address searched for known corpora before their original addresses'),
  apiKeys: z
    .array(z.string().min(8, 'an API key needs at least 8 characters'))
    .default([])
    .describe(
      'Keys that may do everything, comma-separated, sent as "Authorization: Bearer KEY"; those of `gatelm keys create` come on top. No key at all = open on loopback',
    ),
  allowedOrigins: z
    .array(AllowedOrigin)
    .default([])
    .describe(
      'Origins of other sites whose pages may call, comma-separated, as in https://example.org; * = every site, which needs API keys',
    ),
  trainingSlots: z.int().min(1).max(64).default(1).describe('Experiments that train side by side'),
  queue: z
    .string()
    .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
    .nullable()
    .default(null)
    .describe(
      'Redis that hands the trainings to `gatelm trainer` on other machines; unset = they run in this one',
    ),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .nullable()
    .default(null)
    .describe('Threads of one TensorFlow kernel; unset = as many as the machine has'),
  inferenceThreads: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Threads that write, score and evaluate, each with its own copy of the models'),
  maxTextStreams: InferenceLimits.shape.streams,
  promptCacheBytes: InferenceLimits.shape.promptCacheBytes,
  warmModelBytes: InferenceLimits.shape.warmModelBytes,
  backend: z
    .enum(['auto', 'native', 'wasm'])
    .default('auto')
    .describe('TensorFlow backend; auto: native where it loads, else WebAssembly'),
  kernels: z
    .enum(['auto', 'fused', 'composed'])
    .default('auto')
    .describe(
      'LSTM kernels; auto: the fused native ones where they were built, else composed of TensorFlow’s ops',
    ),
  maxQueued: z.int().min(0).max(1_000_000).default(1000).describe('Experiments that may wait for a slot'),
  maxInferences: z
    .int()
    .min(1)
    .max(100_000)
    .default(256)
    .describe('Generations, scorings and evaluations that may run or wait at once'),
  generationTimeoutMs: z
    .int()
    .min(1)
    .max(86_400_000)
    .default(600_000)
    .describe('Time after which a text ends with what there is, in milliseconds'),
  requestTimeoutMs: z
    .int()
    .min(1000)
    .max(86_400_000)
    .default(600_000)
    .describe('Time that a request, body and all, may take to come in, in milliseconds'),
  clientTimeoutMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(60_000)
    .describe(
      'Longest wait for a client that neither sends nor reads while its text is scored, in milliseconds',
    ),
  maxSessions: z.int().min(0).max(10_000_000).default(10_000).describe('Sessions that may be kept at once'),
  sessionTtlMs: z
    .int()
    .min(1)
    .max(31_536_000_000)
    .default(3_600_000)
    .describe('Time after its last use at which a session is forgotten, in milliseconds'),
  maxRestarts: z
    .int()
    .min(0)
    .max(1000)
    .default(3)
    .describe(
      'Times that an experiment whose host or server died is started again from its last checkpoint by itself, without a new checkpoint between them; then, or at 0, it stays interrupted until POST …/resume',
    ),
  watchdogMs: z
    .int()
    .min(1000)
    .max(604_800_000)
    .default(3_600_000)
    .describe(
      'Time without an event after which a training counts as hanging: its host is killed, in milliseconds; loading a corpus and evaluating are silent',
    ),
  maxBodyBytes: z
    .int()
    .min(1024)
    .max(1024 * MEBIBYTE)
    .default(MEBIBYTE)
    .describe('Largest request body, in bytes; uploads have their own limit'),
  diskQuotaBytes: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe(
      'Size of the data folder from which on no experiment, fork, import or upload is taken, in bytes; 0 = no limit. What trains goes on',
    ),
  maxUploadBytes: z
    .int()
    .min(1024)
    .max(256 * MEBIBYTE)
    .default(256 * MEBIBYTE)
    .describe('Largest corpus upload, in bytes'),
  maxArchiveBytes: z
    .int()
    .min(1024)
    .max(1024 * 1024 * MEBIBYTE)
    .default(4096 * MEBIBYTE)
    .describe('Largest archive of a run that is imported, packed and unpacked, in bytes'),
  maxSubscribers: z.int().min(1).max(1_000_000).default(2000).describe('Streams that may be open at once'),
  maxStreamBufferBytes: z
    .int()
    .min(1024)
    .max(1024 * MEBIBYTE)
    .default(MEBIBYTE)
    .describe('Unsent bytes of one stream at which its client counts as too slow and is closed'),
  heartbeatMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(15_000)
    .describe('Quiet time after which a stream sends a heartbeat, in milliseconds'),
  rateLimit: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe('Requests that one key, or else one address, may make in a minute; 0 = no limit'),
  inferenceRateLimit: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe('The same for texts, scorings, rankings and evaluations; 0 = as GATELM_RATE_LIMIT'),
  trainingRateLimit: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe('The same for new experiments, forks, imports and uploads; 0 = as GATELM_RATE_LIMIT'),
  shutdownGraceMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(15_000)
    .describe('Time that running trainings get to write a checkpoint when the server stops, in milliseconds'),
  tensorboard: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether each run has an event file for TensorBoard beside it, in experiments/ID/tensorboard'),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severe log line that is written'),
});
export type Environment = z.infer<typeof Environment>;

/** One variable, for `gatelm serve --help`. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly description: string;
  readonly default: unknown;
}

const WHAT = 'The environment';
const PREFIX = 'GATELM_';
/** Variables of set-up that the server has no use for, though their names are near to those of its own. */
const OTHER_VARIABLES = new Set(['GATELM_CACHE_DIR', 'GATELM_TRAINER_KEY']);

const FIELDS = Object.keys(Environment.shape) as (keyof Environment)[];
const FIELD_OF = new Map(FIELDS.map((field) => [variableName(field), field]));

/** All variables with what they mean and default to. */
export const ENVIRONMENT_VARIABLES: readonly EnvironmentVariable[] = FIELDS.map((field) => {
  const schema = Environment.shape[field];
  return {
    name: variableName(field),
    description: schema.description ?? '',
    default: schema.parse(undefined),
  };
});

/**
 * The settings in a process environment. Empty variables count as unset.
 * @throws validation-failed, naming each wrong variable, and misspelt GATELM_ ones with the nearest known name
 */
export function parseEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const values: Record<string, unknown> = {};
  for (const [name, field] of FIELD_OF) {
    const text = env[name]?.trim();
    if (text) values[field] = readText(field, text);
  }
  const misspelt = Object.keys(env).flatMap(describeIfMisspelt);
  const result = parseOrExplain(Environment, values);
  if (result.issues) throw validationError([...result.issues.map(nameVariable), ...misspelt], WHAT);
  if (misspelt.length > 0) throw validationError(misspelt, WHAT);
  return result.data;
}

/** `maxBodyBytes` → `GATELM_MAX_BODY_BYTES`. */
export function variableName(field: string): string {
  return `${PREFIX}${field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Whether an address can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** @throws unsafe-bind, unsafe-origins when the service would be open to others without keys */
export function assertSafeBind(
  { host, allowedOrigins }: Pick<Environment, 'host' | 'allowedOrigins'>,
  hasKeys: boolean,
): void {
  if (hasKeys) return;
  if (!isLoopback(host)) throw appError('unsafe-bind', { host });
  if (allowedOrigins.includes(ANY_ORIGIN)) throw appError('unsafe-origins');
}

function readText(field: keyof Environment, text: string): unknown {
  const schema = unwrap(Environment.shape[field]);
  if (schema instanceof z.ZodArray)
    return text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  if (schema instanceof z.ZodNumber) return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  return text;
}

/** Names that nothing is near to are left alone: set-up, tests and benchmarks have variables of their own. */
function describeIfMisspelt(name: string): ValidationIssue[] {
  if (!name.startsWith(PREFIX) || FIELD_OF.has(name) || OTHER_VARIABLES.has(name)) return [];
  const nearest = nearestName(name.slice(PREFIX.length), FIELDS);
  if (!nearest) return [];
  return [{ path: name, message: `unknown variable; did you mean ${variableName(nearest)}?` }];
}

function nameVariable({ path, ...issue }: ValidationIssue): ValidationIssue {
  const [field = '', ...rest] = path.split('.');
  const name = [variableName(field), ...rest].join('.');
  if (field === 'apiKeys') return { path: name, message: 'an API key needs at least 8 characters' };
  return { path: name, ...issue };
}
