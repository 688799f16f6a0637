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
  /** Human-readable: what exited, how, and why if known. */
  readonly reason: string;
}

export interface HostProcessOptions<Message> {
  readonly name: 'training' | 'inference';
  readonly settings: HostSettings;
  readonly environment: NodeJS.ProcessEnv;
  /** Parses the messages of the host. */
  readonly schema: z.ZodType<Message | HostReport>;
  /** A host without a heartbeat for longer is killed. */
  readonly silenceLimitMs: number;
  readonly onMessage: (message: Message) => void;
}

/** Ticks without a message, within the limit, after which a host counts as hung. */
const SILENT_TICKS = 5;

/**
 * One child process from start to exit, as seen by the server. It is never restarted; its owner creates a
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
    this.#report.promise.catch(() => {}); // may have no listener
  }

  /** Undefined if the process could not be started or has exited: the pid may have been reused. */
  get pid(): number | undefined {
    const { pid, exitCode, signalCode } = this.#child;
    return exitCode === null && signalCode === null ? pid : undefined;
  }

  /** False once it is known to have exited. */
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
   * The backend that it loaded. Rejects with `backend-unavailable` or another error that kept TensorFlow from
   * loading, with `host-died` if the process exited before.
   */
  get report(): Promise<BackendReport> {
    return this.#report.promise;
  }

  /** Settles when the process has exited and its last message was read; never rejects. */
  get ended(): Promise<HostEnd> {
    return this.#end.promise;
  }

  /** Sends a message; ignored if the process has exited, see {@link ended}. */
  send(request: Request): void {
    if (this.#child.connected) this.#child.send(request, () => {});
  }

  /** Kills the process. */
  kill(cause: string): void {
    this.#cause ??= cause;
    this.#child.kill('SIGKILL');
  }

  /** Requests a shutdown, and kills the process after a grace time. */
  async shutDown(request: Request, graceMs: number): Promise<void> {
    this.send(request);
    const timer = setTimeout(() => this.kill('it did not exit in time'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #receive(value: unknown): void {
    this.#silentTicks = 0;
    const message = this.#options.schema.safeParse(value);
    if (!message.success) this.kill(`it sent an invalid message: ${message.error.message}`);
    else if (isReport(message.data)) this.#noteReport(message.data);
    else this.#options.onMessage(message.data);
  }

  #noteReport(report: HostReport): void {
    switch (report.type) {
      case 'ready':
        this.#report.resolve(report.report);
        break;
      case 'unusable':
        this.#report.reject(deserializeError(report.error));
        break;
      case 'heartbeat':
        this.#rssBytes = report.rssBytes;
        this.#cpuSeconds = report.cpuSeconds;
        break;
      default:
        report satisfies never;
    }
  }

  /** Counts ticks instead of time: after the machine was suspended, one tick is late, not the host. */
  #tick(): void {
    this.#silentTicks += 1;
    if (this.#silentTicks > SILENT_TICKS) {
      this.kill(`no heartbeat for ${this.#options.silenceLimitMs} ms`);
    }
  }

  /** The process may exit before its last messages are read: it has ended when both are done. */
  #watchEnd(): void {
    const child = this.#child;
    const exited = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once('exit', (code, signal) => resolve([code, signal]));
    });
    const disconnected = new Promise<void>((resolve) => child.once('disconnect', resolve));
    void Promise.all([exited, disconnected]).then(([[code, signal]]) => this.#finish(code, signal));
  }

  /** It could not be started or killed. */
  #fail(reason: string): void {
    this.#cause ??= reason;
    if (this.#child.pid === undefined) this.#finish(null, null);
  }

  #finish(exitCode: number | null, signal: NodeJS.Signals | null): void {
    clearInterval(this.#watchdog);
    this.#hasEnded = true;
    const { name } = this.#options;
    const how = signal ? `signal ${signal}` : `code ${exitCode}`;
    const reason = `the ${name} host exited (${how})${this.#cause ? `: ${this.#cause}` : ''}`;
    this.#report.reject(appError('host-died', { host: name, exitCode, signal }));
    this.#end.resolve({ exitCode, signal, reason });
  }
}

function isReport(message: { readonly type: string }): message is HostReport {
  return message.type === 'ready' || message.type === 'unusable' || message.type === 'heartbeat';
}

function entryFile(name: 'training' | 'inference'): string {
  return fileURLToPath(new URL(`./${name}-host.js`, import.meta.url));
}
