import { z } from 'zod';
import { ArtifactInfo, ArtifactKey } from '../../contracts/artifacts.js';
import { parseStrictly } from '../../contracts/validation.js';
import { appError } from '../../errors.js';
import { Artifacts } from '../../experiments/artifacts.js';
import type { HttpApp, Uses } from '../http-app.js';

const SHA256_HEADER = 'x-artifact-sha256';
const LEASE_HEADER = 'x-gatelm-lease';
const OPTIONS = { config: { scope: 'trainer' }, schema: { hide: true } } as const;
const READ_OPTIONS = { ...OPTIONS, config: { ...OPTIONS.config, alsoFor: 'inferencer' } } as const;
const Lease = z.string().regex(/^[^/]+\/\d+$/);

/** /artifacts: files for trainers and inferencers on other machines, complete or from an offset (Range). */
export default async function artifactRoutes(
  app: HttpApp,
  { store, folder }: Uses<'store' | 'folder'>,
): Promise<void> {
  const artifacts = new Artifacts({ store, folder });
  const keyOf = (params: unknown) =>
    parseStrictly(ArtifactKey, (params as { '*': string })['*'], 'The key of the artifact');

  app.get('/artifacts', OPTIONS, async ({ query }) => {
    const { prefix } = query as { prefix?: unknown };
    return { items: await artifacts.list(parseStrictly(ArtifactKey, prefix, 'The prefix')) };
  });

  app.get(
    '/artifacts/*',
    { ...READ_OPTIONS, exposeHeadRoute: false },
    async ({ params, headers, caller }, reply) => {
      const key = keyOf(params);
      artifacts.assertMayRead(caller, key);
      const info = await artifacts.stat(key);
      const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
      const isSame = headers['if-range'] === undefined || headers['if-range'] === `"${info.sha256}"`;
      const start = from !== undefined && isSame ? Number(from) : 0;
      if (start > 0 && start >= info.bytes)
        return reply.code(416).header('content-range', `bytes */${info.bytes}`).send();
      if (from !== undefined && isSame)
        reply.code(206).header('content-range', `bytes ${start}-${info.bytes - 1}/${info.bytes}`);
      return describe(reply, info)
        .header('content-length', info.bytes - start)
        .send(await artifacts.read(key, start));
    },
  );

  app.head('/artifacts/*', READ_OPTIONS, async ({ params, caller }, reply) => {
    const key = keyOf(params);
    artifacts.assertMayRead(caller, key);
    const info = await artifacts.stat(key);
    return describe(reply, info).header('content-length', info.bytes).send();
  });

  await app.register(async (scope) => {
    scope.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
    scope.put('/artifacts/*', OPTIONS, async ({ params, headers, body }, reply) => {
      const [experimentId = '', attempt] = parseStrictly(Lease, headers[LEASE_HEADER], 'The lease').split(
        '/',
      );
      const expected = parseStrictly(
        ArtifactInfo,
        { bytes: Number(headers['content-length']), sha256: headers[SHA256_HEADER] },
        'The artifact',
      );
      if (!body) throw appError('bad-request', { reason: 'The body is missing' });
      const lease = { experimentId, attempt: Number(attempt) };
      await artifacts.write(lease, keyOf(params), body as AsyncIterable<Uint8Array>, expected);
      return reply.code(204).send();
    });
  });
}

function describe<Reply extends { header(name: string, value: string): Reply }>(
  reply: Reply,
  { sha256 }: ArtifactInfo,
): Reply {
  return reply
    .header('content-type', 'application/octet-stream')
    .header('etag', `"${sha256}"`)
    .header('accept-ranges', 'bytes')
    .header(SHA256_HEADER, sha256);
}
