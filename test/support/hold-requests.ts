import type { Page } from 'playwright-core';

/** Holds the requests of a page to an address until the function that it gives is called; later ones pass. */
export async function holdRequests(page: Page, address: RegExp): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(address, async (route) => {
    await released;
    await route.fallback().catch(() => {}); // the page may have cancelled it meanwhile
  });
  return release;
}
