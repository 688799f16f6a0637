import { KeyName, Scope } from '../contracts/access.js';
import { parseEnvironment } from '../contracts/environment.js';
import { parseStrictly } from '../contracts/validation.js';
import { appError } from '../errors.js';
import { type ApiKeys, createApiKey, openApiKeys, revokeApiKey } from '../experiments/api-keys.js';
import { print } from './server-command.js';
import { table } from './terminal.js';

export interface KeysOptions {
  readonly json?: boolean;
  readonly dataDir?: string;
}

const DAY_MS = 86_400_000;
const MAX_DAYS = 36_500;

/** Prints a new key, once. @throws api-key-exists, validation-failed */
export function createKey(
  name: string,
  options: KeysOptions & { readonly scope: string; readonly expiresDays?: string },
): void {
  const scope = parseStrictly(Scope, options.scope, 'The scope');
  const key = withKeys(options, (keys) =>
    createApiKey(keys, {
      name: parseStrictly(KeyName, name, 'The name'),
      scope,
      expiresAt: options.expiresDays === undefined ? null : inDays(options.expiresDays),
    }),
  );
  print(options, { name, scope, key }, () => key);
  console.error(`The key is not shown again. Send it as "Authorization: Bearer …"; its scope is ${scope}.`);
}

/** Prints one line per key. */
export function listKeys(options: KeysOptions): void {
  const keys = withKeys(options, (all) => all.list());
  const rows = keys.map(({ name, scope, prefix, createdAt, expiresAt, lastUsedAt }) => [
    name,
    scope,
    `${prefix}…`,
    createdAt.slice(0, 16),
    expiresAt?.slice(0, 16) ?? 'never',
    lastUsedAt?.slice(0, 16) ?? 'never',
  ]);
  const heading = ['name', 'scope', 'key', 'created', 'expires', 'last used'];
  print(options, { items: keys }, () => table([heading, ...rows]));
}

/** @throws api-key-not-found */
export function revokeKey(name: string, options: KeysOptions): void {
  withKeys(options, (keys) => revokeApiKey(keys, name));
  print(options, { revoked: name }, () => `${name} is revoked, effective with the next request`);
}

function withKeys<Result>({ dataDir }: KeysOptions, body: (keys: ApiKeys) => Result): Result {
  const folder = dataDir ?? parseEnvironment(process.env).dataDir;
  const { keys, close } = openApiKeys(folder);
  try {
    return body(keys);
  } finally {
    close();
  }
}

function inDays(text: string): Date {
  const days = Number(text);
  if (!(days > 0 && days <= MAX_DAYS))
    throw appError('bad-request', {
      reason: `--expires-days must be above 0 and at most ${MAX_DAYS}, not ${text}`,
    });
  return new Date(Date.now() + days * DAY_MS);
}
