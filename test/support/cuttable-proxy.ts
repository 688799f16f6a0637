import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type CleanUpOwner, cleanUp } from './clean-up.js';

/** A wire between a client and a server that can be cut: while it is, nothing comes through and nothing new connects. */
export class CuttableProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isCut = false;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /**
   * @param target port on this machine
   * @param address where it listens
   */
  static async start(test: CleanUpOwner, target: number, address = '127.0.0.1'): Promise<CuttableProxy> {
    const server = createServer();
    server.listen(0, address);
    await once(server, 'listening');
    const proxy = new CuttableProxy(server);
    server.on('connection', (client) => proxy.#join(client, target));
    cleanUp(test, () => proxy.#close());
    return proxy;
  }

  /** As a cable that is pulled: connections hang, and whoever connects waits. */
  cut(): void {
    this.#isCut = true;
    for (const sockets of this.#pairs) for (const socket of sockets) socket.unpipe();
  }

  /** The network resets what hung, as a router does that has forgotten it. */
  mend(): void {
    this.#isCut = false;
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
  }

  #join(client: Socket, target: number): void {
    if (this.#isCut) {
      client.pause();
      this.#pairs.add([client, client]);
      client.on('error', () => {});
      return;
    }
    const server = connect(target, '127.0.0.1');
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on('error', () => {});
      from.pipe(to);
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  #close(): void {
    this.#server.close();
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
  }
}
