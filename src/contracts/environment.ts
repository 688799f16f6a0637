/** The environment variables of gatelm: the only place for their names, defaults, ranges and meanings. */
import { z } from 'zod';
import { appError } from '../errors.js';
import { BasePath, ProxyAddress } from './base-path.js';
import { ExchangeAddress } from './exchange-address.js';
import { InferenceLimits } from './inference-limits.js';
import { nearestName } from './nearest-name.js';
import { AllowedOrigin, ANY_ORIGIN } from './origin.js';
import { unwrap } from './schema-keys.js';
import { parseOrExplain, type ValidationIssue, validationError } from './validation.js';

const MEBIBYTE = 1024 * 1024;

/** Every field is read from `GATELM_` and its name in capitals: `maxBodyBytes` from GATELM_MAX_BODY_BYTES. */
export const Environment = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address to listen on; all except loopback need API keys'),
  port: z.int().min(0).max(65_535).default(8080).describe('Port to listen on; 0 = any free port'),
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
      'API keys with the scope admin, comma-separated, sent as "Authorization: Bearer KEY"; in addition to those of `gatelm keys create`. No key at all = open on loopback',
    ),
  allowedOrigins: z
    .array(AllowedOrigin)
    .default([])
    .describe(
      'Allowed CORS origins, comma-separated, as in https://example.org; * = every origin, which needs API keys',
    ),
  basePath: BasePath.or(z.literal(''))
    .default('')
    .describe(
      'Path at which a reverse proxy serves gatelm, as in /gatelm; links and redirects begin with it',
    ),
  trustedProxies: z
    .array(ProxyAddress)
    .default([])
    .describe(
      'Reverse proxies whose X-Forwarded-For, -Host, -Proto and -Prefix headers are trusted: addresses and networks, comma-separated, as in 127.0.0.1,10.0.0.0/8',
    ),
  trainingSlots: z.int().min(1).max(64).default(1).describe('Experiments that train in parallel'),
  queue: z
    .string()
    .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
    .nullable()
    .default(null)
    .describe(
      'URL of the Redis that distributes trainings to `gatelm trainer` on other machines; unset = they run on this one',
    ),
  exchange: ExchangeAddress.nullable()
    .default(null)
    .describe(
      'Folder that the server and all trainers share, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: corpora and checkpoints travel through it; unset = over HTTP',
    ),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .nullable()
    .default(null)
    .describe('Threads of one TensorFlow kernel; unset = one for each core'),
  inferenceThreads: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Threads that generate, score and evaluate, each with its own copy of the models'),
  maxTextStreams: InferenceLimits.shape.streams,
  promptCacheBytes: InferenceLimits.shape.promptCacheBytes,
  warmModelBytes: InferenceLimits.shape.warmModelBytes,
  backend: z
    .enum(['auto', 'native', 'wasm'])
    .default('auto')
    .describe('TensorFlow backend; auto: native where it can be loaded, else WebAssembly'),
  kernels: z
    .enum(['auto', 'fused', 'composed'])
    .default('auto')
    .describe(
      'LSTM kernels; auto: the fused native ones if they were built, else those composed of TensorFlow ops',
    ),
  inferencerSilenceMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(10_000)
    .describe(
      'Time without a message after which the connection to an inferencer counts as lost, in milliseconds',
    ),
  maxQueued: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1000)
    .describe('Maximum number of experiments in the queue'),
  maxInferences: z
    .int()
    .min(1)
    .max(100_000)
    .default(256)
    .describe('Maximum number of generations, scorings and evaluations that run or wait'),
  generationTimeoutMs: z
    .int()
    .min(1)
    .max(86_400_000)
    .default(600_000)
    .describe('Time after which a generation ends with the text so far, in milliseconds'),
  requestTimeoutMs: z
    .int()
    .min(1000)
    .max(86_400_000)
    .default(600_000)
    .describe('Maximum time to receive a whole request, including its body, in milliseconds'),
  clientTimeoutMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(60_000)
    .describe(
      'Maximum wait for a client that neither sends nor reads while its text is scored, in milliseconds',
    ),
  maxSessions: z.int().min(0).max(10_000_000).default(10_000).describe('Maximum number of sessions'),
  sessionTtlMs: z
    .int()
    .min(1)
    .max(31_536_000_000)
    .default(3_600_000)
    .describe('Time after its last use at which a session expires, in milliseconds'),
  maxRestarts: z
    .int()
    .min(0)
    .max(1000)
    .default(3)
    .describe(
      'Maximum number of automatic restarts of an experiment whose host or server died, from its last checkpoint; each new checkpoint resets the count. After that, or at 0, the experiment stays interrupted until POST …/resume',
    ),
  watchdogMs: z
    .int()
    .min(1000)
    .max(604_800_000)
    .default(3_600_000)
    .describe(
      'Time without an event after which the host of a training is killed as hung, in milliseconds; loading a corpus and evaluating emit no events',
    ),
  maxBodyBytes: z
    .int()
    .min(1024)
    .max(1024 * MEBIBYTE)
    .default(MEBIBYTE)
    .describe('Maximum size of a request body, in bytes; uploads have their own limit'),
  diskQuotaBytes: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .default(0)
    .describe(
      'Size of the data folder above which experiments, forks, imports and uploads are refused, in bytes; 0 = no limit. Running trainings continue',
    ),
  maxUploadBytes: z
    .int()
    .min(1024)
    .max(256 * MEBIBYTE)
    .default(256 * MEBIBYTE)
    .describe('Maximum size of a corpus upload, in bytes'),
  maxArchiveBytes: z
    .int()
    .min(1024)
    .max(1024 * 1024 * MEBIBYTE)
    .default(4096 * MEBIBYTE)
    .describe('Maximum size of an imported archive of a run, packed and unpacked, in bytes'),
  maxSubscribers: z.int().min(1).max(1_000_000).default(2000).describe('Maximum number of open streams'),
  maxStreamBufferBytes: z
    .int()
    .min(1024)
    .max(1024 * MEBIBYTE)
    .default(MEBIBYTE)
    .describe('Unsent bytes of one stream at which its client is disconnected as too slow'),
  heartbeatMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(15_000)
    .describe('Idle time after which a stream sends a heartbeat, in milliseconds'),
  rateLimit: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe('Requests per minute for each key, or each address without one; 0 = no limit'),
  inferenceRateLimit: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe('The same for generation, scoring, ranking and evaluation; 0 = as GATELM_RATE_LIMIT'),
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
    .describe(
      'Time that running trainings have to write a checkpoint when the server stops, and the tasks of an inferencer to end when it stops, in milliseconds',
    ),
  tensorboard: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether to write TensorBoard event files of each run, to experiments/ID/tensorboard'),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Minimum level of the log'),
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
/** Variables of set-up, the trainer and the inferencer, which the server ignores although their names resemble its own. */
const OTHER_VARIABLES = new Set(['GATELM_CACHE_DIR', 'GATELM_TRAINER_KEY', 'GATELM_INFERENCER_KEY']);

const FIELDS = Object.keys(Environment.shape) as (keyof Environment)[];
const FIELD_OF = new Map(FIELDS.map((field) => [variableName(field), field]));

/** All variables with their meanings and defaults. */
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

/** Whether an address can be reached only from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** @throws unsafe-bind, unsafe-origins when the service would be open to other machines or websites without keys */
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

/** Names that resemble none of ours are ignored: set-up, tests and benchmarks have variables of their own. */
function describeIfMisspelt(name: string): ValidationIssue[] {
  if (!name.startsWith(PREFIX) || FIELD_OF.has(name) || OTHER_VARIABLES.has(name)) return [];
  const nearest = nearestName(name.slice(PREFIX.length), FIELDS);
  if (!nearest) return [];
  return [{ path: name, message: `unknown variable; did you mean ${variableName(nearest)}?` }];
}

function nameVariable({ path, ...issue }: ValidationIssue): ValidationIssue {
  const [field = '', ...rest] = path.split('.');
  const name = [variableName(field), ...rest].join('.');
  if (field === 'exchange') return { path: name, message: issue.message }; // a wrong one may have credentials in it
  if (field === 'apiKeys') return { path: name, message: 'an API key needs at least 8 characters' };
  return { path: name, ...issue };
}
