import type { WebSocket } from 'ws';
import type { ProgressMessage, ProgressSink, StreamEnd } from './follow-run.js';

/** Close codes of RFC 6455, section 7.4.1, and of the IANA registry. */
const CLOSE = { normal: 1000, goingAway: 1001, internalError: 1011, tryAgainLater: 1013 } as const;

/** A progress stream on a WebSocket, with JSON messages. A client that does not answer a ping before the next one is disconnected. */
export class SocketSink implements ProgressSink {
  readonly #socket: WebSocket;
  #unsent = 0;
  #whenSent: (() => void)[] = [];
  #isAnswering = true;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('pong', () => {
      this.#isAnswering = true;
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send({ json }: Pick<ProgressMessage, 'json'>): void {
    this.#unsent += 1;
    this.#socket.send(json, () => {
      this.#unsent -= 1;
      if (this.#unsent > 0) return;
      for (const sent of this.#whenSent) sent();
      this.#whenSent = [];
    });
  }

  heartbeat(wasQuiet: boolean): void {
    if (!this.#isAnswering) {
      this.#socket.terminate();
      return;
    }
    this.#isAnswering = false;
    this.#socket.ping();
    if (wasQuiet) this.send({ json: JSON.stringify({ type: 'heartbeat', time: new Date().toISOString() }) });
  }

  hasRoom(): Promise<void> {
    return this.#unsent === 0 ? Promise.resolve() : new Promise((sent) => this.#whenSent.push(sent));
  }

  onClose(callback: () => void): void {
    this.#socket.on('close', callback);
  }

  end(end: StreamEnd): void {
    switch (end.why) {
      case 'over':
        this.#socket.close(CLOSE.normal, end.last);
        break;
      case 'too-slow':
        this.#socket.close(CLOSE.tryAgainLater, `too slow; reconnect with since=${end.seq}`);
        break;
      case 'shutdown':
        this.#socket.close(CLOSE.goingAway, 'the server is stopping');
        break;
      case 'failed':
        this.#socket.close(CLOSE.internalError, 'the stream failed');
        break;
      default:
        end satisfies never;
    }
  }
}
