import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fetchWithProgress } from '../../src/cli/transfer-progress.js';

const ADDRESS = 'http://127.0.0.1:1/corpora';
const CLEAR_LINE = '\r\u001b[2K';
const FILE = new Blob([new Uint8Array(3_000_000).fill(97)]);

/** A terminal that remembers what was written. */
function terminal(isTTY = true) {
  const lines: string[] = [];
  return { isTTY, columns: 100, lines, write: (text: string) => lines.push(text) };
}

/** A clock that goes on by 200 ms at each look. */
function clock(): () => number {
  let now = 0;
  return () => {
    now += 200;
    return now;
  };
}

describe('fetchWithProgress', () => {
  it('sends a form as it is, and shows how much of it was sent', async () => {
    const output = terminal();
    let received: FormData | null = null;
    const send = fetchWithProgress(
      output,
      async (_, init) => {
        const { body, headers } = init as { body: ReadableStream; headers: Record<string, string> };
        assert.equal(headers.authorization, 'Bearer key');
        received = await new Response(body, {
          headers: { 'content-type': headers['content-type']! },
        }).formData();
        return Response.json({ id: 'x' });
      },
      clock(),
    );
    const form = new FormData();
    form.set('name', 'cats');
    form.set('file', FILE);
    const headers = { authorization: 'Bearer key' };
    const response = await send(ADDRESS, { method: 'POST', body: form, headers });
    assert.deepEqual(await response.json(), { id: 'x' });
    assert.equal(received!.get('name'), 'cats');
    assert.deepEqual(await (received!.get('file') as File).arrayBuffer(), await FILE.arrayBuffer());
    assert.ok(
      output.lines.some((line) => /[█░]{24} sent \d\.\d MB of 3\.0 MB · [\d.]+ MB\/s · \d/.test(line)),
    );
    assert.match(output.lines.at(-2)!, /█{24} sent 3\.0 MB of 3\.0 MB; the server reads it …$/);
    assert.equal(output.lines.at(-1), CLEAR_LINE);
    assert.ok(output.lines.every((line) => line.length < CLEAR_LINE.length + 100));
  });

  it('removes its line when the server refuses or cannot be reached', async () => {
    const output = terminal();
    const send = fetchWithProgress(output, () => Promise.reject(new TypeError('fetch failed')));
    await assert.rejects(send(ADDRESS, { method: 'POST', body: FILE }), /fetch failed/);
    assert.equal(output.lines.at(-1), CLEAR_LINE);
  });

  it('counts an archive that comes, and passes it on whole', async () => {
    const output = terminal();
    const headers = { 'content-type': 'application/x-tar' };
    const receive = fetchWithProgress(output, async () => new Response(FILE.stream(), { headers }), clock());
    const response = await receive(ADDRESS);
    assert.deepEqual([response.status, (await response.arrayBuffer()).byteLength], [200, FILE.size]);
    assert.match(output.lines[0]!, /received \d\.\d MB · [\d.]+ MB\/s$/);
    assert.equal(output.lines.at(-1), CLEAR_LINE);
  });

  it('changes nothing for small bodies, other answers, and where there is no terminal', async () => {
    const output = terminal();
    const answer = Response.json({});
    const body = '{}';
    const send = fetchWithProgress(output, async (_, init) => {
      assert.equal(init?.body, body);
      return answer;
    });
    assert.equal(await send(ADDRESS, { method: 'POST', body }), answer);
    assert.deepEqual(output.lines, []);
    assert.equal(fetchWithProgress(terminal(false), fetch), fetch);
  });
});
