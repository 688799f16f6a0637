/** What set-up says: a line when a task begins, and one when it ends. */
import { lstatSync, statSync } from 'node:fs';
import { describeFailure, describeWarning, reasonOf } from './failure.mjs';
import { filesBelow } from './stamps.mjs';

/** @param {NodeJS.WritableStream} out */
export function createReport(out) {
  function line(text) {
    out.write(`  ${text.replaceAll('\n', '\n    ')}\n`);
  }

  return {
    title: (text) => out.write(`${text}\n`),
    line,

    /**
     * Runs a task of a step; says when it begins and how it ended, after how long.
     * @param {() => Promise<string>} body gives the result in words
     */
    async task(name, what, body) {
      const startedAt = performance.now();
      const took = () => `(${seconds(performance.now() - startedAt)})`;
      line(`→ ${name}: ${what}`);
      try {
        line(`✓ ${name}: ${await body()} ${took()}`);
      } catch (error) {
        line(`! ${name}: no: ${reasonOf(error)} ${took()}`);
        throw error;
      }
    },

    warn: (name, failure) => line(`! ${name}: ${describeWarning(failure)}`),

    failed: (failure) => out.write(`✗ set-up failed: ${describeFailure(failure)}\n`),

    /**
     * The last line. A slower backend is always named; why, where no step has just said it.
     * @param {import('./record.mjs').SetupRecord} record
     */
    ready({ backend, kernels, reasons }, { quiet, nothingDone }) {
      const isFast = backend === 'native' && kernels === 'fused';
      const what = backend === 'native' ? `native backend, ${kernels} kernels` : 'WebAssembly backend';
      if (!quiet || backend === 'wasm')
        out.write(
          `gatelm set-up: ready, ${what}${isFast ? '' : ': slower'} (${seconds(performance.now())})\n`,
        );
      if (!quiet && nothingDone) for (const reason of reasons) out.write(`  ${reason}\n`);
    },
  };
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** 273829956 → `274 MB`. */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** Bytes of a file, or of all files below a folder; 0 where there is none. */
export function bytesOf(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.size ?? 0;
  const sizes = filesBelow(path).map((file) => lstatSync(file, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}
