import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import type { ApiKey, Scope } from '../contracts/access.js';
import type { Environment } from '../contracts/environment.js';
import { appError } from '../errors.js';
import { DATABASE_FILE } from '../files/layout.js';
import type { ApiKeyRepository } from '../store/api-key-repository.js';
import { openStore } from '../store/store.js';

/** The table of keys. */
export type ApiKeys = ApiKeyRepository;

/** The owner of the API key of a request. */
export interface Caller {
  readonly name: string;
  readonly scope: Scope;
}

const PREFIX = 'gatelm_';
const KEY_BYTES = 32;
const SHOWN_CHARACTERS = 6;
/** Resolution of the time of the last use. */
const USE_NOTED_MS = 60_000;

/**
 * Creates a key. It is returned once and cannot be recovered.
 * @throws api-key-exists
 */
export function createApiKey(
  keys: ApiKeys,
  { name, scope, expiresAt }: { name: string; scope: Scope; expiresAt: Date | null },
): string {
  const key = PREFIX + randomBytes(KEY_BYTES).toString('base64url');
  const isNew = keys.add(
    {
      name,
      scope,
      prefix: key.slice(0, PREFIX.length + SHOWN_CHARACTERS),
      createdAt: new Date().toISOString(),
      expiresAt: expiresAt?.toISOString() ?? null,
      lastUsedAt: null,
    },
    digestOf(key).toString('hex'),
  );
  if (!isNew) throw appError('api-key-exists', { name });
  return key;
}

/** @throws api-key-not-found */
export function revokeApiKey(keys: ApiKeys, name: string): void {
  if (!keys.remove(name)) throw appError('api-key-not-found', { name });
}

/**
 * Opens the table of keys of a data folder, even while a server is using it: changes take effect with its next request.
 * @throws database-newer, database-unusable
 */
export function openApiKeys(dataDirectory: string): { keys: ApiKeys; close: () => void } {
  const store = openStore(join(dataDirectory, DATABASE_FILE));
  return { keys: store.apiKeys, close: () => store.close() };
}

/** Identifies callers by their keys: those of the environment, with the scope admin, and those of the table. */
export class KeyRing {
  readonly #fixed: readonly Buffer[];
  readonly #keys: ApiKeys;

  constructor({ apiKeys }: Pick<Environment, 'apiKeys'>, keys: ApiKeys) {
    this.#fixed = apiKeys.map(digestOf);
    this.#keys = keys;
  }

  /** Whether there is any key. Without one, only loopback is served, without authentication. */
  get hasAny(): boolean {
    return this.#fixed.length > 0 || this.#keys.hasAny();
  }

  /** @returns null for an unknown, revoked or expired key */
  recognize(key: string): Caller | null {
    const digest = digestOf(key);
    // Digests have equal lengths, so that the comparison takes constant time.
    const isFixed = this.#fixed.map((known) => timingSafeEqual(known, digest)).includes(true);
    if (isFixed) return { name: 'GATELM_API_KEYS', scope: 'admin' };
    const found = this.#keys.find(digest.toString('hex'));
    if (!found || isExpired(found)) return null;
    this.#noteUse(found);
    return { name: found.name, scope: found.scope };
  }

  #noteUse({ name, lastUsedAt }: ApiKey): void {
    const now = new Date();
    if (lastUsedAt !== null && now.getTime() - Date.parse(lastUsedAt) < USE_NOTED_MS) return;
    this.#keys.noteUse(name, now.toISOString());
  }
}

function isExpired({ expiresAt }: ApiKey): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= Date.now();
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
