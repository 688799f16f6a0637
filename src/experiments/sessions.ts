import { randomBytes } from 'node:crypto';
import type { Session, SessionState } from '../contracts/session.js';
import { appError } from '../errors.js';

export interface SessionLimits {
  /** Maximum number of sessions. */
  readonly most: number;
  /** Time after its last use at which a session expires. */
  readonly ttlMs: number;
}

interface Entry {
  readonly id: string;
  readonly experimentId: string;
  readonly createdAt: number;
  usedAt: number;
  state: SessionState;
  isBusy: boolean;
}

/**
 * The sessions of a server, in memory: the state of the model is one vector per layer, whatever the length of the text, and
 * is sent with each request to the inference host. So no session is lost when a host dies.
 */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();

  /** @param now milliseconds since 1970 */
  constructor(limits: SessionLimits, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    this.#forgetExpired();
    return this.#entries.size;
  }

  /** @throws queue-full */
  assertRoom(): void {
    const { most } = this.#limits;
    if (this.size >= most) throw appError('queue-full', { what: 'The store of sessions', limit: most });
  }

  /** @throws queue-full */
  create(experimentId: string, state: SessionState): Session {
    this.assertRoom();
    const id = `ses_${randomBytes(12).toString('hex')}`;
    const now = this.#now();
    const entry = { id, experimentId, createdAt: now, usedAt: now, state, isBusy: false };
    this.#entries.set(id, entry);
    return this.#view(entry);
  }

  /** @throws session-not-found */
  get(id: string): Session {
    return this.#view(this.#find(id));
  }

  /** @throws session-not-found */
  stateOf(id: string): { readonly experimentId: string; readonly state: SessionState } {
    return this.#find(id);
  }

  /** @throws session-not-found */
  delete(id: string): void {
    this.#find(id);
    this.#entries.delete(id);
  }

  /**
   * Continues a session: `body` returns its new state. If it fails, the old state is kept.
   * @throws session-not-found, session-busy, and what `body` throws
   */
  async use<Result>(
    id: string,
    body: (session: {
      experimentId: string;
      state: SessionState;
    }) => Promise<{ state: SessionState; result: Result }>,
  ): Promise<Result> {
    const entry = this.#find(id);
    if (entry.isBusy) throw appError('session-busy', { session: id });
    entry.isBusy = true;
    try {
      const { state, result } = await body(entry);
      entry.state = state;
      return result;
    } finally {
      entry.isBusy = false;
      this.#touch(entry);
    }
  }

  #find(id: string): Entry {
    this.#forgetExpired();
    const entry = this.#entries.get(id);
    if (!entry) throw appError('session-not-found', { session: id });
    this.#touch(entry);
    return entry;
  }

  #touch(entry: Entry): void {
    entry.usedAt = this.#now();
    if (this.#entries.delete(entry.id)) this.#entries.set(entry.id, entry); // a deleted session is not restored
  }

  #forgetExpired(): void {
    const oldest = this.#now() - this.#limits.ttlMs;
    for (const [id, { usedAt, isBusy }] of this.#entries) {
      if (usedAt > oldest) return;
      if (!isBusy) this.#entries.delete(id);
    }
  }

  #view({ id, experimentId, state, createdAt, usedAt }: Entry): Session {
    return {
      id,
      experimentId,
      tokens: state.tokens,
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: new Date(usedAt + this.#limits.ttlMs).toISOString(),
    };
  }
}
