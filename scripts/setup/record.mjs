/** What set-up has found, for `gatelm doctor`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeFileAtomically } from './stamps.mjs';

/**
 * The record in node_modules/.gatelm/setup.json.
 * @typedef {object} SetupRecord
 * @property {1} version of this shape
 * @property {'native' | 'wasm'} backend native where libtensorflow is there, was seen to load and is not declined
 * @property {'fused' | 'composed'} kernels fused where gatelm's own kernels were built, seen to load and not declined
 * @property {string | null} tensorflow the native library's version
 * @property {string[]} reasons why it is not native and fused, a sentence each; empty where it is
 */

/** Writes the record where it differs. @returns {SetupRecord} */
export function updateRecord(context) {
  const { settings } = context;
  const record = describeRecord(context);
  const differs = JSON.stringify(readJson(settings.recordFile)) !== JSON.stringify(record);
  if (differs && existsSync(settings.modules))
    writeFileAtomically(settings.recordFile, `${JSON.stringify(record)}\n`);
  return record;
}

/** @returns {SetupRecord} */
export function describeRecord({ settings, stamps }) {
  const [library, kernels] = [stamps.read('tensorflow'), stamps.read('kernels')];
  const native = settings.backend !== 'wasm' && library !== undefined && !library.unavailable;
  const fused = native && settings.kernels !== 'composed' && kernels !== undefined && !kernels.unavailable;
  return {
    version: 1,
    backend: native ? 'native' : 'wasm',
    kernels: fused ? 'fused' : 'composed',
    tensorflow: native ? library.version : null,
    reasons: native ? (fused ? [] : withoutKernels(settings, kernels)) : withoutLibrary(settings, library),
  };
}

function withoutLibrary(settings, library) {
  if (settings.backend === 'wasm') return ['libtensorflow was not looked for: GATELM_BACKEND=wasm'];
  if (library) return library.reasons.map((reason) => `libtensorflow could not be installed, ${reason}`);
  return ['libtensorflow has not been looked for yet'];
}

function withoutKernels(settings, kernels) {
  if (settings.kernels === 'composed')
    return ['the fused kernels were not asked for: GATELM_KERNELS=composed'];
  if (kernels?.reasons) return kernels.reasons.map((reason) => `the fused kernels were not built: ${reason}`);
  if (!existsSync(join(settings.root, 'native', 'binding.gyp')))
    return ['this checkout has no native/binding.gyp'];
  return ['the fused kernels have not been built yet'];
}
