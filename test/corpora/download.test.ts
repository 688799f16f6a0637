import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Download, download } from '../../src/corpora/download.js';
import { cleanUp } from '../support/clean-up.js';

const BODY = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 7) % 251));
const SHA256 = createHash('sha256').update(BODY).digest('hex');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that gives its answers one after another, the last one again and again, and remembers what was asked. */
async function serve(test: TestContext, ...answers: Answer[]) {
  const requests: { url: string; range: string | undefined }[] = [];
  const server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', range: request.headers.range });
    (answers.length > 1 ? answers.shift()! : answers[0]!)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp(test, () => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** What is asked for: all of it, or the rest. */
const whole: Answer = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from > 0) response.setHeader('content-range', `bytes ${from}-${BODY.length - 1}/${BODY.length}`);
  response.writeHead(from > 0 ? 206 : 200).end(BODY.subarray(from));
};

/** The rest up to a byte; once that has arrived the connection breaks. */
function breaksAt(end: number, arrived: Arrivals): Answer {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${BODY.length - 1}/${BODY.length}`);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': BODY.length - from });
    response.write(BODY.subarray(from, end));
    arrived.at(end, () => response.destroy());
  };
}

/** Tells when the download has so many bytes: what is in flight when a connection breaks may be lost. */
class Arrivals {
  readonly #waiting = new Map<number, () => void>();

  at(bytes: number, then: () => void): void {
    this.#waiting.set(bytes, then);
  }

  readonly onProgress = ({ receivedBytes }: { receivedBytes: number }): void =>
    this.#waiting.get(receivedBytes)?.();
}

const status =
  (code: number): Answer =>
  (_, response) =>
    response.writeHead(code).end('no');

const says =
  (body: Uint8Array): Answer =>
  (_, response) =>
    response.writeHead(200).end(body);

function request(test: TestContext, addresses: string[], changes: Partial<Download> = {}): Download {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-download-'));
  cleanUp(test, () => rmSync(folder, { recursive: true, force: true }));
  const destination = join(folder, 'ptb', 'file.txt');
  return { file: 'file.txt', bytes: BODY.length, sha256: SHA256, addresses, destination, ...changes };
}

function assertArrived({ destination }: Download): void {
  assert.deepEqual(readFileSync(destination), BODY);
  assert.deepEqual(readdirSync(join(destination, '..')), ['file.txt'], 'nothing is left beside it');
}

describe('download', () => {
  it('fetches a file and tells its progress', async (test) => {
    const { address } = await serve(test, whole);
    const seen: number[] = [];
    const wanted = request(test, [address], { onProgress: ({ receivedBytes }) => seen.push(receivedBytes) });
    assert.equal(await download(wanted), null);
    assertArrived(wanted);
    assert.equal(seen.at(-1), BODY.length);
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
  });

  it('asks for the rest after an interruption, again and again', async (test) => {
    const arrived = new Arrivals();
    const { address, requests } = await serve(
      test,
      breaksAt(20_000, arrived),
      breaksAt(45_000, arrived),
      whole,
    );
    const wanted = request(test, [address], arrived);
    assert.equal(await download(wanted), null);
    assertArrived(wanted);
    assert.deepEqual(
      requests.map(({ range }) => range),
      [undefined, 'bytes=20000-', 'bytes=45000-'],
    );
  });

  it('goes on in a later call, from another address', async (test) => {
    const arrived = new Arrivals();
    const first = await serve(test, breaksAt(30_000, arrived), status(503));
    const wanted = request(test, [first.address], { triesPerAddress: 2, ...arrived });
    const failures = await download(wanted);
    assert.match(failures?.join('\n') ?? '', /HTTP 503/);
    assert.deepEqual(readdirSync(join(wanted.destination, '..')), ['file.txt.part']);

    const second = await serve(test, whole);
    assert.equal(await download({ ...wanted, addresses: [second.address] }), null);
    assert.deepEqual(second.requests[0]?.range, 'bytes=30000-');
    assertArrived(wanted);
  });

  it('begins anew where the server knows no ranges', async (test) => {
    const arrived = new Arrivals();
    const { address, requests } = await serve(test, breaksAt(30_000, arrived), says(BODY));
    const wanted = request(test, [address], arrived);
    assert.equal(await download(wanted), null);
    assert.equal(requests.length, 2);
    assertArrived(wanted);
  });

  it('tries the next address after a refusal', async (test) => {
    const bad = await serve(test, status(404));
    const good = await serve(test, whole);
    const wanted = request(test, [bad.address, good.address]);
    assert.equal(await download(wanted), null);
    assert.equal(bad.requests.length, 1, 'a 404 is not asked for twice');
    assertArrived(wanted);
  });

  it('never gives the file its name when the checksum is wrong', async (test) => {
    const forged = Buffer.from(BODY);
    forged[1000]! ^= 1;
    const { address, requests } = await serve(test, says(forged));
    const wanted = request(test, [address]);
    const failures = await download(wanted);
    assert.match(failures?.[0] ?? '', new RegExp(`SHA-256 is .*expected ${SHA256}`));
    assert.equal(requests.length, 1);
    assert.equal(existsSync(wanted.destination), false);
  });

  it('gives up a poisoned beginning and fetches the whole file', async (test) => {
    const { address, requests } = await serve(test, whole);
    const wanted = request(test, [address]);
    mkdirSync(join(wanted.destination, '..'), { recursive: true });
    writeFileSync(`${wanted.destination}.part`, Buffer.alloc(10_000));
    assert.equal(await download(wanted), null);
    assert.deepEqual(
      requests.map(({ range }) => range),
      ['bytes=10000-', undefined],
    );
    assertArrived(wanted);
  });

  it('stops reading what is longer than the file', async (test) => {
    const endless: Answer = (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(BODY));
        response.once('drain', more);
      };
      more();
    };
    const { address } = await serve(test, endless);
    assert.match((await download(request(test, [address])))?.[0] ?? '', /more than the expected 60000 bytes/);
  });

  it('gives up on a server that falls silent', async (test) => {
    const { address } = await serve(test, (_, response) => {
      response.writeHead(200).write(BODY.subarray(0, 100));
    });
    const wanted = request(test, [address], { idleTimeoutMs: 100, triesPerAddress: 1 });
    assert.match((await download(wanted))?.[0] ?? '', /no byte for 100 ms/);
  });

  it('follows no redirect: only the addresses that were given are contacted', async (test) => {
    const elsewhere = await serve(test, whole);
    const { address } = await serve(test, (_, response) =>
      response.writeHead(302, { location: elsewhere.address }).end(),
    );
    const failures = await download(request(test, [address], { triesPerAddress: 1 }));
    assert.equal(failures?.length, 1);
    assert.equal(elsewhere.requests.length, 0);
  });

  it('takes over what a dead process left, and leaves alone what a living one is writing', async (test) => {
    const { address, requests } = await serve(test, whole);
    const wanted = request(test, [address]);
    mkdirSync(join(wanted.destination, '..'), { recursive: true });
    const living = `${wanted.destination}.${process.pid}-7-0.part`;
    writeFileSync(living, BODY.subarray(0, 50));
    writeFileSync(`${wanted.destination}.999999999-0-0.part`, BODY.subarray(0, 5000));
    assert.equal(await download(wanted), null);
    assert.equal(requests[0]?.range, 'bytes=5000-');
    assert.deepEqual(readFileSync(living), BODY.subarray(0, 50));
  });

  it('lets two at once do the same without harm', async (test) => {
    const { address } = await serve(test, whole);
    const wanted = request(test, [address]);
    assert.deepEqual(await Promise.all([download(wanted), download(wanted)]), [null, null]);
    assertArrived(wanted);
  });
});
