import { once } from 'node:events';
import type { RawData, WebSocket } from 'ws';
import {
  type InferencerHello,
  type InferencerMessage,
  InferencerRequest,
  MAX_INFERENCER_MESSAGE_BYTES,
} from '../../contracts/inferencer.js';
import type { InferenceTask, TaskRequest } from '../../contracts/jobs.js';
import { appError, serializeError } from '../../errors.js';
import type { RunOptions } from '../inference-executor.js';
import { PartBatch } from '../part-batch.js';
import { InputQueue } from './input-queue.js';
import { watchSocket } from './watch-socket.js';

export interface ServerConnectionOptions {
  readonly hello: InferencerHello;
  readonly run: (task: InferenceTask, options: RunOptions<unknown>) => Promise<unknown>;
  /** Called when the server has accepted it. */
  readonly onWelcome: () => void;
}

interface OpenTask {
  readonly cancelling: AbortController;
  readonly input: InputQueue;
}

type RunRequest = Extract<TaskRequest, { type: 'run' }>;

/** Close code of RFC 6455, section 7.4.1. */
const VIOLATION = 1008;

/** The server as an inferencer sees it: one connection, on which tasks arrive. */
export class ServerConnection {
  readonly #socket: WebSocket;
  readonly #options: ServerConnectionOptions;
  readonly #tasks = new Map<number, OpenTask>();
  readonly #batch = new PartBatch((message) => this.#send(message));
  /** Settles with the reason when the connection has ended. */
  readonly ended: Promise<string>;
  #onEmpty: () => void = () => {};

  constructor(socket: WebSocket, options: ServerConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('message', (data) => this.#receive(data));
    this.ended = once(socket, 'close').then(([code, reason]) => {
      for (const { cancelling } of this.#tasks.values()) cancelling.abort(); // nobody waits for them
      this.#onEmpty();
      return `${reason}` || `the connection broke (${code})`;
    });
    this.#send(options.hello);
  }

  /** Takes no more tasks, and closes when the open ones have ended or the time is over. */
  async leave(graceMs: number): Promise<void> {
    this.#send({ type: 'leaving' });
    const late = setTimeout(() => this.#onEmpty(), graceMs);
    if (this.#tasks.size > 0 && this.#socket.readyState === this.#socket.OPEN)
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    clearTimeout(late);
    this.#socket.close();
    await this.ended;
  }

  #receive(data: RawData): void {
    let request: InferencerRequest;
    try {
      request = InferencerRequest.parse(JSON.parse(data.toString()));
    } catch {
      this.#socket.close(VIOLATION, 'not a message of a server');
      return;
    }
    switch (request.type) {
      case 'welcome':
        watchSocket(this.#socket, request.silenceMs);
        this.#options.onWelcome();
        break;
      case 'run':
        void this.#run(request);
        break;
      case 'input':
        this.#tasks.get(request.taskId)?.input.push(request.input);
        break;
      case 'cancel':
        this.#tasks.get(request.taskId)?.cancelling.abort();
        break;
      default:
        request satisfies never;
    }
  }

  async #run({ taskId, task, streams }: RunRequest): Promise<void> {
    const open = { cancelling: new AbortController(), input: new InputQueue() };
    this.#tasks.set(taskId, open);
    try {
      const result = await this.#options.run(task, {
        signal: open.cancelling.signal,
        ...(streams && { onPart: (part: unknown) => this.#batch.add(taskId, part) }),
        ...(task.type === 'score-stream' && { input: open.input }),
      });
      this.#batch.flush();
      this.#send({ type: 'done', taskId, result });
    } catch (error) {
      this.#send({ type: 'failed', taskId, error: serializeError(error) });
    }
    this.#tasks.delete(taskId);
    if (this.#tasks.size === 0) this.#onEmpty();
  }

  /** @throws host-unavailable for a message that the server would refuse */
  #send(message: InferencerMessage): void {
    const json = JSON.stringify(message);
    if (Buffer.byteLength(json) > MAX_INFERENCER_MESSAGE_BYTES)
      throw appError('host-unavailable', {
        host: 'inferencer',
        reason: 'its result is too large to be sent',
      });
    this.#socket.send(json, () => {}); // a connection that has ended says so itself
  }
}
