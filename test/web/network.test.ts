/** The network between a page and its server is cut while a model trains. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { noBrowser, openPage } from '../support/browser.js';
import { cleanUp } from '../support/clean-up.js';
import { startGatelm } from '../support/gatelm-server.js';
import { endlessConfig, uploadTinyCorpus } from '../support/live-training.js';
import { temporaryFolder } from '../support/service.js';

interface Wire {
  readonly address: string;
  cut(): void;
  mend(): void;
}

/** A connection to a server that can be cut: what is open ends, what is new is refused. */
async function startWire(t: TestContext, serverAddress: string): Promise<Wire> {
  const { hostname, port } = new URL(serverAddress);
  const open = new Set<Socket>();
  let isCut = false;
  const wire = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  const cut = () => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
  cleanUp(t, () => {
    cut();
    wire.close();
  });
  wire.listen(0, '127.0.0.1');
  await once(wire, 'listening');
  return {
    address: `http://127.0.0.1:${(wire.address() as AddressInfo).port}`,
    cut,
    mend() {
      isCut = false;
    },
  };
}

test('a page whose network is cut says so, comes back by itself, and misses no epoch', {
  skip: noBrowser(),
}, async (t) => {
  const server = await startGatelm(t, temporaryFolder(t));
  await uploadTinyCorpus(server, 4000);
  const { id } = await server.train(endlessConfig('behind a wire'));
  const wire = await startWire(t, server.address);
  const { page } = await openPage(t, `${wire.address}/#/experiments/${id}`);
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('tab', { name: 'Events' }).click();
  await page.locator('.event-epoch').first().waitFor();

  wire.cut();
  await page.getByText('The connection is lost').waitFor();
  const before = await page.locator('.event-epoch').count();
  const epochs = async () => {
    const path = `/experiments/${id}/events?types=epoch&limit=10000`;
    return (await server.get<{ items: unknown[] }>(path)).items.length;
  };
  for (const start = await epochs(); (await epochs()) < start + 2; )
    await new Promise((resume) => setTimeout(resume, 50));
  assert.equal(await page.locator('.event-epoch').count(), before, 'nothing comes through');
  wire.mend();
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.event-cancelled').waitFor();
  assert.equal(await page.locator('.event-epoch').count(), await epochs(), 'every epoch is there once');
});
