import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { InferenceExecutor } from '../../src/compute/inference-executor.js';
import type { BalancedInferenceExecutor } from '../../src/compute/inferencers/balanced-inference-executor.js';
import { openSocket } from '../../src/compute/inferencers/open-socket.js';
import { ServerConnection } from '../../src/compute/inferencers/server-connection.js';
import { type CleanUpOwner, cleanUp } from './clean-up.js';
import { FAKE_BACKEND, FakeInferenceExecutor } from './fake-executor.js';

export interface FakeInferencerOptions {
  readonly id?: string;
  readonly slots?: number;
  readonly executor?: Pick<InferenceExecutor, 'run'>;
  readonly key?: string;
}

/** An inferencer in this process, whose tasks a given executor runs. */
export interface FakeInferencer {
  readonly socket: WebSocket;
  readonly connection: ServerConnection;
}

/** A server of sockets alone, each of which the executor admits. @returns its port */
export async function listenForInferencers(
  test: CleanUpOwner,
  executor: BalancedInferenceExecutor,
): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => executor.admit(socket));
  await once(server, 'listening');
  cleanUp(test, async () => {
    await executor.close();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Connects one and waits until it is welcome; its connection ends with the test. */
export async function joinAsInferencer(
  test: CleanUpOwner,
  address: string,
  { id = 'a', slots = 1, executor = new FakeInferenceExecutor(), key }: FakeInferencerOptions = {},
): Promise<FakeInferencer> {
  const socket = await openSocket(address, key ?? null);
  cleanUp(test, () => socket.terminate());
  let connection: ServerConnection | undefined;
  await new Promise<void>((onWelcome) => {
    connection = new ServerConnection(socket, {
      hello: {
        type: 'hello',
        id,
        hostname: 'test',
        labels: [],
        memoryBytes: 0,
        slots,
        backend: FAKE_BACKEND,
      },
      run: (task, options) => executor.run(task, options as never),
      onWelcome,
    });
  });
  return { socket, connection: connection! };
}
