import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseS3Address } from '../../src/contracts/exchange-address.js';
import { S3ArtifactStore, type S3ArtifactStoreOptions } from '../../src/files/s3-artifact-store.js';
import { type CleanUpOwner, cleanUp } from './clean-up.js';
import { temporaryFolder } from './service.js';

const SCRIPT = fileURLToPath(new URL('../../../test/fixtures/swift-server.py', import.meta.url));
/** Of the distribution, which its package python3-swift is for. */
const PYTHON = '/usr/bin/python3';
const CREDENTIALS = { accessKeyId: 'test:tester', secretAccessKey: 'a-secret-of-the-tests' };
const BUCKET = 'gatelm';

/** Why there is no S3-compatible store to test with; false = there is one. For the option `skip` of a test. */
export const NO_SWIFT =
  spawnSync(PYTHON, ['-c', 'import swift.proxy.server, swift.common.middleware.s3api'], { stdio: 'ignore' })
    .status === 0
    ? false
    : 'OpenStack Swift (python3-swift) is not installed here';

/** An OpenStack Swift of the test's own with its S3 interface, on a free port, with an empty bucket. */
export class SwiftServer {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
  }

  static async start(test: CleanUpOwner): Promise<SwiftServer> {
    const folder = temporaryFolder(test);
    const { accessKeyId, secretAccessKey } = CREDENTIALS;
    const child = spawn(PYTHON, [SCRIPT, folder, accessKeyId, secretAccessKey], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    cleanUp(test, async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const server = new SwiftServer(child, Number(line));
    await server.#createBucket();
    return server;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Variables that a client of it needs. */
  get credentials(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    };
  }

  /** @param prefix of the keys @param port that of a proxy before it */
  address(prefix: string, port: number = this.port): string {
    return `s3://${BUCKET}/${prefix}?endpoint=${encodeURIComponent(`http://127.0.0.1:${port}`)}`;
  }

  /** A client of it. */
  open(
    test: CleanUpOwner,
    {
      address = this.address('tests'),
      ...options
    }: Partial<S3ArtifactStoreOptions> & { address?: string } = {},
  ): Promise<S3ArtifactStore> {
    return S3ArtifactStore.open({
      ...parseS3Address(address)!,
      credentials: CREDENTIALS,
      temporaryFolder: temporaryFolder(test),
      retryMs: 10,
      giveUpAfterMs: 2_000,
      ...options,
    });
  }

  async #createBucket(): Promise<void> {
    const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
    const client = new S3Client({
      endpoint: `http://127.0.0.1:${this.port}`,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: CREDENTIALS,
    });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
  }
}
