import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { cleanUp } from './clean-up.js';
import { REPOSITORY } from './gatelm-server.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Why the dashboard cannot be tested in a browser here; false when it can. To be given to a test as `skip`. */
export function noBrowser(): string | false {
  if (!browserPath()) return 'there is no Chromium; GATELM_CHROMIUM names one';
  if (!existsSync(join(REPOSITORY, 'dist', 'dashboard', 'index.html')))
    return 'the dashboard is not built; npm run build:web';
  return false;
}

export function browserPath(): string | undefined {
  return [process.env.GATELM_CHROMIUM ?? '', ...CHROMIUM].find((path) => path !== '' && existsSync(path));
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath()!, args: ARGUMENTS });
}

/** A page, and what went wrong on it. */
export interface WatchedPage {
  readonly page: Page;
  /** Fails when the console had an error; those that the test expects are named. */
  expectNoErrors(expected?: RegExp): void;
}

/** Opens a page in a browser of its own, which is closed after the test. */
export async function openPage(
  t: TestContext,
  address: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const browser = await launchBrowser();
  cleanUp(t, () => browser.close());
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(address);
  return {
    page,
    expectNoErrors(expected) {
      assert.deepEqual(
        errors.filter((error) => !expected?.test(error)),
        [],
      );
    },
  };
}

/** Fails with what axe finds on the page as it is. */
export async function expectAccessible(page: Page): Promise<void> {
  // The policy of the page keeps other scripts out; the protocol of the browser does not ask it.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    interface Violation {
      readonly id: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
    }
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes
        .slice(0, 3)
        .map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary ?? ''}`),
    }));
  });
  assert.deepEqual(found, [], `axe on ${page.url()}`);
}
