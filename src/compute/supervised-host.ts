import type { BackendReport } from '../contracts/jobs.js';
import { type ComputeOptions, hostEnvironment } from './host-environment.js';
import { type HostEnd, HostProcess, type HostProcessOptions } from './host-process.js';
import type { HostStats } from './host-stats.js';

export interface SupervisedHostOptions<Message> extends Omit<HostProcessOptions<Message>, 'environment'> {
  readonly compute: ComputeOptions;
  /** Called when the current process has exited; not for one that was replaced. */
  readonly onEnd: (end: HostEnd) => void;
}

/** Time that a host has to shut down. */
const SHUT_DOWN_MS = 2_000;

/** A host that is started when it is first needed, and restarted after it died. */
export class SupervisedHost<
  Request extends { readonly type: string },
  Message extends { readonly type: string },
> {
  readonly #options: SupervisedHostOptions<Message>;
  readonly #shutdown: Request;
  /** The current process, and those that are being replaced. */
  readonly #processes = new Set<HostProcess<Request, Message>>();
  #present: HostProcess<Request, Message> | null = null;
  #report: BackendReport | null = null;
  #unusableReason: string | null = null;

  /** @param shutdown the message that requests a shutdown */
  constructor(options: SupervisedHostOptions<Message>, shutdown: Request) {
    this.#options = options;
    this.#shutdown = shutdown;
  }

  get report(): BackendReport | null {
    return this.#report;
  }

  get unusableReason(): string | null {
    return this.#unusableReason;
  }

  get stats(): HostStats {
    const processes = [...this.#processes];
    return {
      processIds: processes.map(({ pid }) => pid).filter((pid) => pid !== undefined),
      residentBytes: processes.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
      cpuSeconds: processes.reduce((sum, host) => sum + host.cpuSeconds, 0),
    };
  }

  /** Resident memory of the current process. */
  get rssBytes(): number {
    return this.#present?.rssBytes ?? 0;
  }

  /** Starts it without waiting for the first request. @throws backend-unavailable, host-died */
  warmUp(): Promise<BackendReport> {
    return this.#start().report;
  }

  /** Sends to the current process, which is started if there is none. */
  request(request: Request): void {
    this.#start().send(request);
  }

  /** Sends to the current process, if there is one. */
  tell(request: Request): void {
    this.#present?.send(request);
  }

  /** Kills the current process. */
  kill(cause: string): void {
    this.#present?.kill(cause);
  }

  /** Shuts down the current process, which is idle; the next request starts another one. */
  replace(): void {
    const process = this.#present;
    this.#present = null;
    void process?.shutDown(this.#shutdown, SHUT_DOWN_MS);
  }

  async shutDown(): Promise<void> {
    await Promise.all([...this.#processes].map((process) => process.shutDown(this.#shutdown, SHUT_DOWN_MS)));
  }

  #start(): HostProcess<Request, Message> {
    if (this.#present) return this.#present;
    const { compute, onEnd, ...options } = this.#options;
    const process = new HostProcess<Request, Message>({
      ...options,
      environment: hostEnvironment(compute),
    });
    this.#present = process;
    this.#processes.add(process);
    void process.report.then(
      (report) => {
        this.#report = report;
        this.#unusableReason = null;
      },
      (error: Error) => {
        this.#unusableReason = error.message; // each task rejects with it, too
      },
    );
    void process.ended.then((end) => {
      this.#processes.delete(process);
      if (this.#present !== process) return;
      this.#present = null;
      onEnd(end);
    });
    return process;
  }
}
