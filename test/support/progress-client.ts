import { once } from 'node:events';
import WebSocket from 'ws';
import { z } from 'zod';
import { StoredEvent } from '../../src/contracts/events.js';
import { ProgressSnapshot } from '../../src/contracts/progress.js';

const Message = z.union([ProgressSnapshot, StoredEvent]);
export type ProgressMessage = z.infer<typeof Message>;
type MessageOf<Type extends ProgressMessage['type']> = Extract<ProgressMessage, { readonly type: Type }>;

/** A client of a progress socket that keeps everything it gets. */
export class ProgressClient {
  readonly messages: ProgressMessage[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  #onMessage: () => void = () => {};

  constructor(address: string, options: WebSocket.ClientOptions = {}) {
    this.socket = new WebSocket(address, options);
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { type: string };
      if (message.type === 'heartbeat') return;
      this.messages.push(Message.parse(message));
      this.#onMessage();
    });
    this.closed = once(this.socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }));
    this.closed.catch(() => {}); // a test of a refusal waits for the error instead
  }

  get seqs(): number[] {
    return this.messages.filter(({ type }) => type !== 'snapshot').map(({ seq }) => seq);
  }

  /** Waits until the event of that number has come. */
  async untilSeq(seq: number): Promise<void> {
    while ((this.seqs.at(-1) ?? 0) < seq)
      await new Promise<void>((came) => {
        this.#onMessage = came;
      });
  }

  /** Waits until a message of that type has come. */
  async until<Type extends ProgressMessage['type']>(type: Type): Promise<MessageOf<Type>> {
    for (;;) {
      const found = this.messages.find((message): message is MessageOf<Type> => message.type === type);
      if (found) return found;
      await new Promise<void>((came) => {
        this.#onMessage = came;
      });
    }
  }
}
