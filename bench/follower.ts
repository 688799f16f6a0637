import { setTimeout as after } from 'node:timers/promises';
import WebSocket from 'ws';

/** An event of an experiment, as clients get it. */
export interface ReceivedEvent {
  readonly seq: number;
  readonly time: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A server whose address may change when it is restarted. */
export interface Addressed {
  readonly address: string;
}

const FINAL: readonly string[] = ['succeeded', 'failed', 'cancelled'];
const NOT_TRAINING: readonly string[] = [...FINAL, 'queued', 'paused', 'interrupted'];
const RECONNECT_MS = 20;
const PAGE = 10_000;

/** Follows one experiment to its end over as many connections as that takes. */
export class Follower {
  /** SHA-256 over the final weights; null if it did not succeed. */
  readonly digest: Promise<string | null>;
  readonly id: string;
  readonly #server: Addressed;
  readonly #events: string[] = [];
  readonly #violations: string[] = [];
  #last: ReceivedEvent | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(server: Addressed, id: string) {
    this.#server = server;
    this.id = id;
    this.digest = this.#follow();
  }

  get received(): number {
    return this.#events.length;
  }

  get hasEnded(): boolean {
    return this.#last !== null && FINAL.includes(this.#last.type);
  }

  get isTraining(): boolean {
    return this.#last !== null && !NOT_TRAINING.includes(this.#last.type);
  }

  /** The first event after the number `since` that fits, once it has come. */
  async next(since: number, fits: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent> {
    for (let index = since; ; index++) {
      while (index >= this.#events.length) await new Promise<void>((came) => this.#waiting.add(came));
      const event = JSON.parse(this.#events[index]!) as ReceivedEvent;
      if (fits(event)) return event;
    }
  }

  /** What is stored otherwise than it was sent. */
  compare(stored: readonly ReceivedEvent[]): string[] {
    const violations = [...this.#violations];
    stored.forEach(({ seq }, index) => {
      if (seq !== index + 1)
        violations.push(`${this.id}: event ${index + 1} is stored with the number ${seq}`);
    });
    this.#events.forEach((event, index) => {
      if (JSON.stringify(stored[index]) !== event)
        violations.push(
          `${this.id}: event ${index + 1} was sent as ${event}, stored as ${JSON.stringify(stored[index])}`,
        );
    });
    if (stored.length !== this.#events.length)
      violations.push(`${this.id}: ${stored.length} events are stored, ${this.#events.length} came`);
    return violations;
  }

  async #follow(): Promise<string | null> {
    while (!this.hasEnded) {
      await this.#connect();
      await after(RECONNECT_MS);
    }
    const { type, data } = this.#last!;
    if (type !== 'succeeded') this.#violations.push(`${this.id} ended as ${type}: ${JSON.stringify(data)}`);
    return typeof data.digest === 'string' ? data.digest : null;
  }

  /** One connection, to its end. */
  #connect(): Promise<void> {
    const address = this.#server.address.replace(/^http/, 'ws');
    const since = this.#events.length;
    const socket = new WebSocket(`${address}/experiments/${this.id}/progress?since=${since}`);
    socket.on('message', (data) => this.#take(String(data)));
    return new Promise((resolve) => {
      socket.on('error', () => {}); // the server is gone; closed says so, too
      socket.on('close', () => resolve());
    });
  }

  #take(text: string): void {
    const event = JSON.parse(text) as ReceivedEvent;
    if (event.type === 'snapshot' || event.type === 'heartbeat') return;
    if (event.seq !== this.#events.length + 1)
      this.#violations.push(`${this.id}: event ${event.seq} came after ${this.#events.length}`);
    this.#events.push(text);
    this.#last = event;
    for (const came of this.#waiting) came();
    this.#waiting.clear();
  }
}

/** Everything that is stored of an experiment. */
export async function readEvents(
  server: { get<Answer>(path: string): Promise<Answer> },
  id: string,
): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for (;;) {
    const page = await server.get<{ items: ReceivedEvent[]; hasMore: boolean }>(
      `/experiments/${id}/events?since=${events.length}&limit=${PAGE}`,
    );
    events.push(...page.items);
    if (!page.hasMore) return events;
  }
}
