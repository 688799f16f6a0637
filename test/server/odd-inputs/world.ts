/** The server that all odd inputs are sent to: models over words, characters and bytes, runs and corpora. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { TokenizerConfig } from '../../../src/contracts/corpus.js';
import { createTokenizer } from '../../../src/tokenizers/create-tokenizer.js';
import { inProcess } from '../../support/in-process-executor.js';
import { ProgressClient } from '../../support/progress-client.js';
import { startService, type TestService, temporaryFolder } from '../../support/service.js';
import { tinyBundle } from '../../support/tiny-bundle.js';
import { field, file, formBytes } from './ask.js';

export interface World extends Pick<TestService, 'app' | 'services' | 'dataDir' | 'socketAddress'> {
  readonly port: number;
  /** By name: what exists. */
  readonly ids: Readonly<Record<string, string>>;
  /** Files of the model `words`. */
  readonly bundle: ReadonlyMap<string, Uint8Array>;
}

export const TEXT = 'The cat sat on the mat. The dog sat on the log.\n'.repeat(60);
/** What a run on the small corpus needs. */
export const SMALL_RUN = { corpus: 'small', training: { batchSize: 2, bpttLength: 8 } };
const MAX_UPLOAD_BYTES = 2_000_000;
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=x' };

export async function startWorld(t: TestContext): Promise<World> {
  const service = await startService(t, {
    executor: inProcess,
    plays: true,
    environment: { rateLimit: 1_000_000, maxUploadBytes: MAX_UPLOAD_BYTES, maxBodyBytes: 1_000_000 },
  });
  const { app, services, dataDir, socketAddress, address } = service;
  const bundle = tinyBundle(temporaryFolder(t));
  const learn = (config: object) =>
    createTokenizer(TokenizerConfig.parse(config), 'the cat sat ü 👍\n', 'lossless');
  const models = {
    words: bundle,
    characters: tinyBundle(temporaryFolder(t), { tokenizer: learn({ type: 'character' }) }),
    bytes: tinyBundle(temporaryFolder(t), { tokenizer: learn({ type: 'byte-pair', vocabularySize: 262 }) }),
  };
  const ids: Record<string, string> = {};
  const made = async (url: string, payload: object | Buffer, headers = {}) => {
    const response = await app.inject({ method: 'POST', url, payload, headers });
    assert.equal(response.statusCode, 201, response.body);
    return response.json().id as string;
  };
  for (const [name, files] of Object.entries(models))
    ids[name] = await made(
      '/experiments/import',
      formBytes([
        field('name', name),
        file('model', files.get('model.safetensors')!),
        file('tokenizer', files.get('tokenizer.json')!),
      ]),
      MULTIPART,
    );
  ids.corpus = await made('/corpora', formBytes([field('name', 'small'), file('file', TEXT)]), MULTIPART);
  ids.trained = await made('/experiments', {
    ...SMALL_RUN,
    name: 'trained',
    tags: ['odd'],
    training: { ...SMALL_RUN.training, epochs: 2 },
  });
  await new ProgressClient(`${socketAddress}/experiments/${ids.trained}/progress`).closed;
  return { app, services, dataDir, socketAddress, port: Number(new URL(address).port), ids, bundle };
}
