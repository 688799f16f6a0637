/** What set-up says: a line when a task begins, one when it ends, and on a terminal how long it has been at it. */
import { statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeFailure } from './failure.mjs';
import { filesBelow } from './stamps.mjs';

const TICK_MS = 1000;
const CLEAR_LINE = '\r\u001b[2K';

/** @param {NodeJS.WritableStream & { isTTY?: boolean }} out */
export function createReport(out) {
  const running = new Map();
  const live = Boolean(out.isTTY);
  let timer;

  function line(text) {
    out.write(`${live && timer ? CLEAR_LINE : ''}  ${text.replaceAll('\n', '\n    ')}\n`);
    tick();
  }

  function tick() {
    if (!live || running.size === 0) return;
    const parts = [...running].map(([name, { startedAt, detail }]) => {
      return [name, seconds(performance.now() - startedAt), detail?.()].filter(Boolean).join(' ');
    });
    out.write(`${CLEAR_LINE}    … ${parts.join(', ')}`.slice(0, out.columns ?? 80));
  }

  function stopTicking() {
    if (timer && live) out.write(CLEAR_LINE);
    clearInterval(timer);
    timer = undefined;
  }

  return {
    title: (text) => out.write(`${text}\n`),
    line,

    /**
     * Says that a task begins.
     * @param {string} name the step
     * @param {string} what what it does, with its size where it is known
     * @param {() => string | undefined} [detail] how far it is, for the terminal's running line
     * @returns `done(result)` and `gaveUp(why)`, each ends it and says how long it took
     */
    begin(name, what, detail) {
      line(`→ ${name}: ${what}`);
      const startedAt = performance.now();
      const key = running.has(name) ? `${name} (2)` : name;
      running.set(key, { startedAt, detail });
      if (live) timer ??= setInterval(tick, TICK_MS).unref();
      function end(mark, text) {
        running.delete(key);
        line(`${mark} ${name}: ${text} (${seconds(performance.now() - startedAt)})`);
        if (running.size === 0) stopTicking();
      }
      return { done: (text) => end('✓', text), gaveUp: (text) => end('!', text) };
    },

    warn: (name, text) => line(`! ${name}: ${text}`),

    failed(error) {
      stopTicking();
      out.write(`✗ set-up failed: ${describeFailure(error)}\n`);
    },

    /**
     * The last line. A slower backend is always named; why, where no step has just said it.
     * @param {import('./record.mjs').SetupRecord} record
     * @param {{ quiet: boolean, nothingDone: boolean }} how
     */
    ready({ backend, kernels, reasons }, { quiet, nothingDone }) {
      const took = seconds(performance.now());
      if (backend === 'native' && kernels === 'fused') {
        if (!quiet) out.write(`gatelm set-up: ready, native backend, fused kernels (${took})\n`);
        return;
      }
      const what = backend === 'native' ? 'native backend, composed kernels' : 'WebAssembly backend';
      if (!quiet || backend === 'wasm') out.write(`gatelm set-up: ready, ${what}: slower (${took})\n`);
      if (!quiet && nothingDone) for (const reason of reasons) out.write(`  ${reason}\n`);
    },

    close: stopTicking,
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

/** Bytes of all files below a folder, each hard-linked file counted once a name; 0 where there is none. */
export async function folderBytes(folder) {
  let total = 0;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) total += await folderBytes(path);
    else if (entry.isFile())
      total += await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return total;
}

/** How much a folder holds by now, for a task's running line. */
export function soFar(folder) {
  return () => megabytes(filesBelow(folder, () => true).reduce((sum, file) => sum + fileBytes(file), 0));
}

/** Bytes of a file; 0 where there is none. */
export function fileBytes(path) {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
