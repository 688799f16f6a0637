/** How long the frames of a page take while it moves. */
import type { Page } from 'playwright-core';

const FRAMES = 180;

/**
 * Calls `move` before each of many frames.
 * `intervalMs`: from frame to frame, 16.7 on a screen of 60 Hz where none is late. `workMs`: from the beginning of a frame until
 * the page is free again, so script, styles, layout and paint.
 */
const MEASURE_FRAMES = `globalThis.measureFrames = (move) => new Promise((resolve) => {
  const [intervals, works] = [[], []];
  const channel = new MessageChannel();
  let start = 0, last = 0, index = 0;
  channel.port1.onmessage = () => works.push(performance.now() - start);
  const frame = (now) => {
    if (last) intervals.push(now - last);
    last = now;
    start = performance.now();
    if (index === ${FRAMES}) { resolve({ intervalMs: quantiles(intervals), workMs: quantiles(works) }); return; }
    move(index++);
    channel.port2.postMessage(0);
    requestAnimationFrame(frame);
  };
  const quantiles = (values) => {
    values.sort((a, b) => a - b);
    const at = (share) => values[Math.floor(share * (values.length - 1))];
    return { p50: at(0.5), p95: at(0.95), most: at(1) };
  };
  requestAnimationFrame(frame);
});`;

export interface FrameTimes {
  readonly intervalMs: Quantiles;
  readonly workMs: Quantiles;
  /** Mean time on a processor of the thread that runs the page: it does not depend on what else the machine does. */
  readonly processorMsAFrame: number;
}
interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly most: number;
}

/** Asked by the protocol: the policy of the page allows no text to be run as a script, as waitForFunction does. */
export async function until(page: Page, condition: string): Promise<void> {
  while (!(await page.evaluate(condition))) await page.waitForTimeout(50);
}

async function withProcessorTime(page: Page, measure: string): Promise<FrameTimes> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const taskSeconds = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const before = await taskSeconds();
  const times = await page.evaluate<Omit<FrameTimes, 'processorMsAFrame'>>(measure);
  return { ...times, processorMsAFrame: (((await taskSeconds()) - before) * 1000) / FRAMES };
}

/** Scrolls through all rows, a third of the screen a frame. */
export async function scrollTable(page: Page): Promise<FrameTimes> {
  await until(page, 'document.querySelector(".table-scroller").scrollHeight > 40000');
  await page.evaluate(MEASURE_FRAMES);
  return withProcessorTime(
    page,
    `(() => {
    const table = document.querySelector('.table-scroller');
    return measureFrames((index) => { table.scrollTop = (index * 240) % table.scrollHeight; });
  })()`,
  );
}

/** Zooms in twice, waits for the exact points, and drags to and fro with shift held. */
export async function panCompare(page: Page): Promise<FrameTimes> {
  await page.waitForLoadState('networkidle');
  await page.locator('select').first().waitFor();
  await page.getByLabel('Metric').selectOption('stepPerplexity');
  const chart = page.locator('.chart-canvas');
  await chart.focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await page.evaluate(MEASURE_FRAMES);
  return withProcessorTime(
    page,
    `(async () => {
    const over = document.querySelector('.u-over');
    const box = over.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const at = (type, target, clientX) =>
      target.dispatchEvent(new MouseEvent(type, { bubbles: true, shiftKey: true, clientX, clientY: y }));
    at('mousedown', over, x);
    const times = await measureFrames((index) => at('mousemove', over, x + 200 * Math.sin(index / 15)));
    at('mouseup', over, x);
    return times;
  })()`,
  );
}
