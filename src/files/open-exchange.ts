import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseS3Address } from '../contracts/exchange-address.js';
import { AppError, appError } from '../errors.js';
import type { ArtifactStore } from './artifact-store.js';
import { FolderArtifactStore } from './folder-artifact-store.js';
import { LEASES } from './layout.js';
import { S3ArtifactStore, type S3Credentials } from './s3-artifact-store.js';

/** What a process needs to open its exchange. */
export interface ExchangeOptions {
  /** An ExchangeAddress. */
  readonly address: string;
  /** Folder for files on their way to an object store. */
  readonly temporaryFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The store through which the server and its trainers exchange files. One that is unreachable now is waited for when it
 * is used.
 * @throws bad-request without the folder or credentials; storage-refused
 */
export async function openExchange({
  address,
  temporaryFolder,
  env,
}: ExchangeOptions): Promise<ArtifactStore> {
  const s3 = parseS3Address(address);
  if (!s3) return openFolder(resolve(address));
  const options = {
    ...s3,
    region: s3.region ?? env.AWS_REGION ?? null,
    credentials: credentialsOf(env),
    temporaryFolder,
  };
  await assertAccess(await S3ArtifactStore.open({ ...options, giveUpAfterMs: 0 }));
  return S3ArtifactStore.open(options);
}

/** A folder that is missing may be one that was not mounted. */
function openFolder(path: string): ArtifactStore {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return new FolderArtifactStore(path);
  throw appError('bad-request', { reason: `GATELM_EXCHANGE: there is no folder ${path}` });
}

function credentialsOf(env: ExchangeOptions['env']): S3Credentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env;
  if (!accessKeyId || !secretAccessKey)
    throw appError('bad-request', {
      reason: 'GATELM_EXCHANGE: an S3-compatible store needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    });
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) };
}

async function assertAccess(store: ArtifactStore): Promise<void> {
  try {
    await store.list(LEASES);
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'host-unavailable')) throw error;
  }
}
