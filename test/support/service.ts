import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { InferenceExecutor } from '../../src/compute/inference-executor.js';
import { type Environment, parseEnvironment } from '../../src/contracts/environment.js';
import { createServices, type Services } from '../../src/experiments/services.js';
import { buildApp } from '../../src/server/app.js';
import type { HttpApp } from '../../src/server/http-app.js';
import { createLogger } from '../../src/server/logger.js';
import { type CleanUpOwner, cleanUp } from './clean-up.js';
import { FakeInferenceExecutor, FakeTrainingExecutor, type PlayedLoss } from './fake-executor.js';

export interface ServiceOptions {
  /** Gets each line of the log. */
  readonly onLogLine?: (line: Readonly<Record<string, unknown>>) => void;
  readonly plays?: boolean | PlayedLoss;
  readonly slots?: number;
  readonly dataDir?: string;
  readonly environment?: Partial<Environment>;
  /** Makes one for a data folder, instead of the fake one. */
  readonly executor?: (dataDirectory: string) => InferenceExecutor;
  readonly dashboardFolder?: string;
}

/** A service over fake executors, listening on a port of its own. */
export interface TestService {
  readonly app: HttpApp;
  readonly services: Services;
  readonly training: FakeTrainingExecutor;
  readonly inference: FakeInferenceExecutor;
  readonly address: string;
  readonly socketAddress: string;
  readonly dataDir: string;
  close(): Promise<void>;
}

/** A folder that is removed after the test. */
export function temporaryFolder(test: CleanUpOwner): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-test-'));
  cleanUp(test, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a service; it is closed after the test, if the test has not closed it. */
export async function startService(test: TestContext, options: ServiceOptions = {}): Promise<TestService> {
  const dataDir = options.dataDir ?? temporaryFolder(test);
  const environment = {
    ...parseEnvironment({}),
    dataDir,
    port: 0,
    shutdownGraceMs: 0,
    ...options.environment,
  };
  const { plays = false, slots = 1 } = options;
  const training = new FakeTrainingExecutor({ slots, plays });
  const inference = new FakeInferenceExecutor(dataDir);
  const services = createServices({
    environment,
    trainingExecutor: training,
    inferenceExecutor: options.executor?.(dataDir) ?? inference,
  });
  const app = await buildApp(services, {
    dashboardFolder: options.dashboardFolder,
    ...(options.onLogLine && { logger: lineLogger(options.onLogLine) }),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= app.close().then(() => services.close());
    return closing;
  };
  cleanUp(test, close);
  return {
    app,
    services,
    training,
    inference,
    address: `http://127.0.0.1:${port}`,
    socketAddress: `ws://127.0.0.1:${port}`,
    dataDir,
    close,
  };
}

function lineLogger(onLine: NonNullable<ServiceOptions['onLogLine']>) {
  const write = (line: string) => onLine(JSON.parse(line));
  return createLogger({ logLevel: 'info' }, { write });
}
