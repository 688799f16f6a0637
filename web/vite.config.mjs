/** Builds the dashboard into dist/dashboard: hashed names, each file also compressed beside itself. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const OUTPUT = fileURLToPath(new URL('../dist/dashboard/', import.meta.url));
const COMPRESSIBLE = /\.(js|css|html|svg)$/;

/** Catalogues and the drawing library are loaded when they are needed. */
const isShared = (id) => !/messages\/ja|uplot|\.css/i.test(id);

/** @type {() => import('vite').Plugin} */
const precompress = () => ({
  name: 'precompress',
  apply: 'build',
  closeBundle() {
    for (const name of readdirSync(OUTPUT, { recursive: true, encoding: 'utf8' })) {
      if (!COMPRESSIBLE.test(name)) continue;
      const file = join(OUTPUT, name);
      const bytes = readFileSync(file);
      const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
      writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: quality }));
      writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
    }
  },
});

export default defineConfig({
  base: './', // a proxy may serve it below a path
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [precompress()],
  build: {
    outDir: OUTPUT,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
    rolldownOptions: {
      // What most pages share is one file instead of twenty.
      output: { codeSplitting: { groups: [{ name: 'core', minShareCount: 3, test: isShared }] } },
    },
  },
  // `npx vite web` serves the sources; the API comes from a server on its usual port.
  server: {
    proxy: Object.fromEntries(
      [
        '/experiments',
        '/generate',
        '/score',
        '/rank',
        '/sessions',
        '/corpora',
        '/sweeps',
        '/presets',
        '/tickets',
        '/metrics',
        '/healthz',
        '/readyz',
        '/openapi.json',
        '/v1',
      ].map((path) => [path, { target: 'http://127.0.0.1:8080', ws: true }]),
    ),
  },
});
