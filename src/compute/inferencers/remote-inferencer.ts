import type { RawData, WebSocket } from 'ws';
import {
  type InferencerHello,
  InferencerMessage,
  type InferencerRequest,
} from '../../contracts/inferencer.js';
import type { InferenceTask } from '../../contracts/jobs.js';
import { AppError } from '../../errors.js';
import type { InferencePartOf, InferenceResultOf, RunOptions } from '../inference-executor.js';
import { OpenTasks } from '../open-tasks.js';
import { watchSocket } from './watch-socket.js';

export interface RemoteInferencerOptions {
  /** Time without a message after which it counts as lost; it has as long to introduce itself. */
  readonly silenceMs: number;
  /** Called when it can take tasks. */
  readonly onJoin: (hello: InferencerHello) => void;
  /** Called when its connection has ended; its open tasks have been rejected with host-died. */
  readonly onEnd: (reason: string) => void;
}

/** Close codes of RFC 6455, section 7.4.1. */
const CLOSE = { abnormal: 1006, violation: 1008 } as const;

/** An inferencer as the server sees it: one connection. */
export class RemoteInferencer {
  readonly #socket: WebSocket;
  readonly #options: RemoteInferencerOptions;
  readonly #tasks = new OpenTasks((request) => this.#send(request));
  readonly #late: NodeJS.Timeout;
  #hello: InferencerHello | null = null;
  #isLeaving = false;

  constructor(socket: WebSocket, options: RemoteInferencerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#late = setTimeout(() => socket.terminate(), options.silenceMs);
    watchSocket(socket, options.silenceMs);
    socket.on('message', (data) => this.#receive(data));
    socket.on('close', (code, reason) => {
      clearTimeout(this.#late);
      this.#end(code === CLOSE.abnormal ? 'the connection broke' : `${reason}` || `closed with ${code}`);
    });
    socket.on('error', () => {}); // close follows
  }

  /** Whether it takes tasks. */
  get isOpen(): boolean {
    return this.#hello !== null && !this.#isLeaving && this.#socket.readyState === this.#socket.OPEN;
  }

  run<Task extends InferenceTask>(
    task: Task,
    options: RunOptions<InferencePartOf<Task>>,
  ): Promise<InferenceResultOf<Task>> {
    return this.#tasks.run(task, options);
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(data: RawData): void {
    let message: InferencerMessage;
    try {
      message = InferencerMessage.parse(JSON.parse(data.toString()));
    } catch {
      this.#socket.close(CLOSE.violation, 'not a message of an inferencer');
      return;
    }
    switch (message.type) {
      case 'hello':
        if (this.#hello) return;
        clearTimeout(this.#late);
        this.#hello = message;
        this.#send({ type: 'welcome', silenceMs: this.#options.silenceMs });
        this.#options.onJoin(message);
        break;
      case 'leaving':
        this.#isLeaving = true;
        break;
      default:
        this.#tasks.receive(message);
    }
  }

  #send(request: InferencerRequest): void {
    this.#socket.send(JSON.stringify(request));
  }

  #end(reason: string): void {
    const host = `inferencer ${this.#hello?.id}`;
    const details = { host, exitCode: null, signal: null };
    this.#tasks.fail(new AppError('host-died', details, { message: `The ${host} was lost: ${reason}` }));
    this.#options.onEnd(reason);
  }
}
