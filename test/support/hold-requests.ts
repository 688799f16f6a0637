import type { Page } from 'playwright-core';
import { createDeferred } from '../../src/compute/deferred.js';

/** Holds the requests of a page to an address until the function that it gives is called; later ones pass. */
export async function holdRequests(page: Page, address: RegExp): Promise<() => void> {
  const released = createDeferred<void>();
  await page.route(address, async (route) => {
    await released.promise;
    await route.fallback().catch(() => {}); // the page may have cancelled it meanwhile
  });
  return () => released.resolve();
}
