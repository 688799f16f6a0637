import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { BackendReport, HostReport, HostSettings } from '../contracts/jobs.js';
import { appError, deserializeError } from '../errors.js';
import { createDeferred } from './deferred.js';
import { forwardHostLog } from './host-log.js';

/** How a host process ended. */
export interface HostEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** A sentence for people: what ended, how, and why if that is known. */
  readonly reason: string;
}

export interface HostProcessOptions<Message> {
  readonly name: 'training' | 'inference';
  readonly settings: HostSettings;
  readonly environment: NodeJS.ProcessEnv;
  /** Parses what the host says. */
  readonly schema: z.ZodType<Message | HostReport>;
  /** A host that is silent for longer is killed. */
  readonly silenceLimitMs: number;
  readonly onMessage: (message: Message) => void;
}

/** Intervals without a message, within the limit, after which a host is given up. */
const SILENT_TICKS = 5;

/**
 * One child process, from its start to its end: the server's side. It is never started again; whoever holds it makes a
 * new one.
 */
export class HostProcess<
  Request extends { readonly type: string },
  Message extends { readonly type: string },
> {
  readonly #options: HostProcessOptions<Message>;
  readonly #child: ChildProcess;
  readonly #watchdog: NodeJS.Timeout;
  #silentTicks = 0;
  #rssBytes = 0;
  #cpuSeconds = 0;
  #cause: string | null = null;
  #hasEnded = false;
  readonly #report = createDeferred<BackendReport>();
  readonly #end = createDeferred<HostEnd>();

  constructor(options: HostProcessOptions<Message>) {
    this.#options = options;
    this.#child = fork(entryFile(options.name), [JSON.stringify(options.settings)], {
      env: options.environment,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    // The server's stdout is its own.
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (output) forwardHostLog(output, (line) => process.stderr.write(`${line}\n`));
    }
    this.#child.on('message', (message) => this.#receive(message));
    this.#child.on('error', (error) => this.#fail(error.message));
    this.#watchEnd();
    this.#watchdog = setInterval(() => this.#tick(), options.silenceLimitMs / SILENT_TICKS).unref();
    this.#report.promise.catch(() => {}); // nobody has to ask for it
  }

  /** Undefined where the process could not be started, or has exited: the number may be another one's by now. */
  get pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.#child;
    return exitCode === null && signalCode === null ? pid : undefined;
  }

  /** False once it is known to have ended. */
  get isAlive(): boolean {
    return !this.#hasEnded;
  }

  /** Resident memory at its last heartbeat. */
  get rssBytes(): number {
    return this.#rssBytes;
  }

  /** Processor time of all its threads until its last heartbeat. */
  get cpuSeconds(): number {
    return this.#cpuSeconds;
  }

  /**
   * What it found when it loaded TensorFlow. Rejects with `backend-unavailable` or what else kept TensorFlow from
   * loading, with `host-died` when the process ended before.
   */
  get report(): Promise<BackendReport> {
    return this.#report.promise;
  }

  /** Settles when the process is gone and its last message was read; never rejects. */
  get ended(): Promise<HostEnd> {
    return this.#end.promise;
  }

  /** A process that is gone hears nothing; {@link ended} says so. */
  send(request: Request): void {
    if (this.#child.connected) this.#child.send(request, () => {});
  }

  /** Ends it at once. */
  kill(cause: string): void {
    this.#cause ??= cause;
    this.#child.kill('SIGKILL');
  }

  /** Lets it end by itself, then ends it. */
  async shutDown(request: Request, graceMs: number): Promise<void> {
    this.send(request);
    const timer = setTimeout(() => this.kill('it did not end in time'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #receive(value: unknown): void {
    this.#silentTicks = 0;
    const message = this.#options.schema.safeParse(value);
    if (!message.success) this.kill(`it sent a message that is not understood: ${message.error.message}`);
    else if (isSign(message.data)) this.#noteSign(message.data);
    else this.#options.onMessage(message.data);
  }

  #noteSign(sign: HostReport): void {
    switch (sign.type) {
      case 'ready':
        this.#report.resolve(sign.report);
        break;
      case 'unusable':
        this.#report.reject(deserializeError(sign.error));
        break;
      case 'heartbeat':
        this.#rssBytes = sign.rssBytes;
        this.#cpuSeconds = sign.cpuSeconds;
        break;
      default:
        sign satisfies never;
    }
  }

  /** Counts ticks instead of time: after the machine slept, one tick is late, not the host. */
  #tick(): void {
    this.#silentTicks += 1;
    if (this.#silentTicks > SILENT_TICKS) {
      this.kill(`no heartbeat for ${this.#options.silenceLimitMs} ms`);
    }
  }

  /** The process may be gone before its last messages were read: it has ended when both are through. */
  #watchEnd(): void {
    const child = this.#child;
    const exited = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once('exit', (code, signal) => resolve([code, signal]));
    });
    const disconnected = new Promise<void>((resolve) => child.once('disconnect', resolve));
    void Promise.all([exited, disconnected]).then(([[code, signal]]) => this.#finish(code, signal));
  }

  /** It could not be started, or not be killed. */
  #fail(reason: string): void {
    this.#cause ??= reason;
    if (this.#child.pid === undefined) this.#finish(null, null);
  }

  #finish(exitCode: number | null, signal: NodeJS.Signals | null): void {
    clearInterval(this.#watchdog);
    this.#hasEnded = true;
    const { name } = this.#options;
    const how = signal ? `signal ${signal}` : `code ${exitCode}`;
    const reason = `the ${name} host ended (${how})${this.#cause ? `: ${this.#cause}` : ''}`;
    this.#report.reject(appError('host-died', { host: name, exitCode, signal }));
    this.#end.resolve({ exitCode, signal, reason });
  }
}

function isSign(message: { readonly type: string }): message is HostReport {
  return message.type === 'ready' || message.type === 'unusable' || message.type === 'heartbeat';
}

function entryFile(name: 'training' | 'inference'): string {
  return fileURLToPath(new URL(`./${name}-host.js`, import.meta.url));
}
