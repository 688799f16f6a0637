/** What set-up says: a line when a task begins, one when it ends, and on a terminal how long it has been running. */
import { lstatSync, statSync } from 'node:fs';
import { describeFailure, reasonOf } from './failure.mjs';
import { filesBelow } from './stamps.mjs';

const TICK_MS = 1000;
const CLEAR_LINE = '\r\u001b[2K';

/** @param {NodeJS.WritableStream & { isTTY?: boolean, columns?: number }} out */
export function createReport(out) {
  const clear = out.isTTY ? CLEAR_LINE : '';
  const running = new Set();
  const timer = out.isTTY && setInterval(tick, TICK_MS).unref();

  function line(text) {
    out.write(`${clear}  ${text.replaceAll('\n', '\n    ')}\n`);
  }

  function tick() {
    const parts = [...running].map(({ name, startedAt, detail }) =>
      [name, seconds(performance.now() - startedAt), detail?.()].filter(Boolean).join(' '),
    );
    if (parts.length > 0) out.write(`${clear}    … ${parts.join(', ')}`.slice(0, out.columns ?? 80));
  }

  return {
    title: (text) => out.write(`${text}\n`),
    line,

    /**
     * Runs a task; says when it begins and how it ended, after how long.
     * @param {string} name the step
     * @param {string} what what it does, with its size where it is known
     * @param {() => Promise<string>} body gives the result in words
     * @param {() => string} [detail] how far it is, for the terminal's running line
     */
    async task(name, what, body, detail) {
      line(`→ ${name}: ${what}`);
      const task = { name, startedAt: performance.now(), detail };
      running.add(task);
      const [mark, text, error] = await body().then(
        (result) => ['✓', result],
        (error) => ['!', `no: ${reasonOf(error)}`, error],
      );
      running.delete(task);
      line(`${mark} ${name}: ${text} (${seconds(performance.now() - task.startedAt)})`);
      if (error) throw error;
    },

    warn: (name, text) => line(`! ${name}: ${text}`),

    failed: (error) => out.write(`${clear}✗ set-up failed: ${describeFailure(error)}\n`),

    /**
     * The last line. A slower backend is always named; why, where no step has just said it.
     * @param {import('./record.mjs').SetupRecord} record
     * @param {{ quiet: boolean, nothingDone: boolean }} how
     */
    ready({ backend, kernels, reasons }, { quiet, nothingDone }) {
      const took = seconds(performance.now());
      const isFast = backend === 'native' && kernels === 'fused';
      const what = backend === 'native' ? `native backend, ${kernels} kernels` : 'WebAssembly backend';
      if (!quiet || backend === 'wasm')
        out.write(`gatelm set-up: ready, ${what}${isFast ? '' : ': slower'} (${took})\n`);
      if (!quiet && nothingDone) for (const reason of reasons) out.write(`  ${reason}\n`);
    },

    close() {
      clearInterval(timer);
      if (running.size > 0) out.write(clear);
    },
  };
}

/** 1234 → `1.2 s`, 75,000 → `1 min 15 s`. */
export function seconds(milliseconds) {
  if (milliseconds < 950) return `${(milliseconds / 1000).toFixed(2)} s`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const whole = Math.round(milliseconds / 1000);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** 273829956 → `274 MB`. */
export function megabytes(bytes) {
  const count = bytes / 1e6;
  return `${count < 10 ? count.toFixed(1) : Math.round(count).toLocaleString('en-US')} MB`;
}

/** Bytes of a file, or of all files below a folder; 0 where there is none. */
export function bytesOf(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.size ?? 0;
  return filesBelow(path).reduce(
    (sum, file) => sum + (lstatSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
