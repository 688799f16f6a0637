import type { Addressed } from './follower.js';
import { endProcess, type ServerProcess, startServer } from './server-process.js';

/** A server that can be killed and started again on the same data. */
export class RestartableServer implements Addressed {
  readonly #environment: Readonly<Record<string, string>>;
  #server: ServerProcess | null = null;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  async start(): Promise<void> {
    this.#server = await startServer(this.#environment);
  }

  get address(): string {
    return this.#server!.address;
  }

  get pid(): number {
    return this.#server!.process.pid!;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#server) await endProcess(this.#server.process, signal);
  }

  async get<Answer>(path: string): Promise<Answer> {
    return this.#answer(path, await fetch(this.address + path));
  }

  async post<Answer>(path: string, body: object): Promise<Answer> {
    const response = await fetch(this.address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return this.#answer(path, response);
  }

  /** Creates experiments in this order. @returns their ids */
  async createAll(configs: readonly object[]): Promise<string[]> {
    const ids: string[] = [];
    for (const config of configs) ids.push((await this.post<{ id: string }>('/experiments', config)).id);
    return ids;
  }

  async #answer<Answer>(path: string, response: Response): Promise<Answer> {
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}
