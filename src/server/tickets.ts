import { randomBytes } from 'node:crypto';
import type { Ticket } from '../contracts/access.js';
import { appError } from '../errors.js';
import type { Caller } from '../experiments/api-keys.js';

const TICKET_MS = 30_000;
/** Maximum number of unused tickets. */
const MAX_OPEN = 10_000;

/**
 * A browser cannot send a key with a WebSocket or an EventSource, and a key must not be in a URL. So it requests a
 * ticket with its key and opens the stream with the ticket, which can be used once, within half a minute.
 */
export class Tickets {
  readonly #open = new Map<string, { readonly caller: Caller; readonly expiresAt: number }>();

  /** @throws queue-full */
  issue(caller: Caller): Ticket {
    this.#forgetExpired();
    if (this.#open.size >= MAX_OPEN)
      throw appError('queue-full', { what: 'The number of open tickets', limit: MAX_OPEN });
    const ticket = randomBytes(24).toString('base64url');
    const expiresAt = Date.now() + TICKET_MS;
    this.#open.set(ticket, { caller, expiresAt });
    return { ticket, expiresAt: new Date(expiresAt).toISOString() };
  }

  /** Redeems a ticket. @returns the caller it was issued to; null if it is invalid or used */
  redeem(ticket: string): Caller | null {
    const found = this.#open.get(ticket);
    this.#open.delete(ticket);
    return found && found.expiresAt > Date.now() ? found.caller : null;
  }

  /** They expire in the order of their issue. */
  #forgetExpired(): void {
    const now = Date.now();
    for (const [ticket, { expiresAt }] of this.#open) {
      if (expiresAt > now) break;
      this.#open.delete(ticket);
    }
  }
}
