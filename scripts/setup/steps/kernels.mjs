/** gatelm's own kernels in native/. Where they cannot be built, composed TensorFlow ops serve. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildKernels, buildToolsAdvice, missingBuildTools } from '../build.mjs';
import { probeKernels } from '../probe.mjs';
import { bytesOf, megabytes } from '../report.mjs';
import { filesBelow, hashFiles } from '../stamps.mjs';

const NAME = 'kernels';

/** @type {import('./step.mjs').Step} */
export const kernelsStep = {
  name: NAME,

  applies({ settings, stamps }) {
    if (settings.backend === 'wasm' || settings.kernels === 'composed' || !hasSources(settings)) return false;
    return settings.kernels === 'fused' || !stamps.read('tensorflow')?.unavailable; // there is nothing to link with
  },

  key({ settings, stamps }) {
    const sources = filesBelow(nativeDir(settings), undefined, ['build', 'test']);
    const library = stamps.read('tensorflow');
    return [hashFiles(settings.root, sources), library?.version, library?.key].join(' ');
  },

  isThere: ({ settings }) => bytesOf(kernelsFile(settings)) > 0,

  async run({ settings, report, stamps }) {
    if (stamps.read('tensorflow')?.unavailable) throw new Error('there is no libtensorflow to link with');
    const file = kernelsFile(settings);
    rmSync(file, { force: true }); // none rather than an old one
    await report.task(NAME, 'building native/ with node-gyp, about half a minute', async () => {
      await buildKernels(settings, settings.packageDir('@tensorflow/tfjs-node'));
      await probeKernels(settings, file).catch((error) => {
        rmSync(file, { force: true });
        throw error;
      });
      return `${megabytes(bytesOf(file))}, loads`;
    });
  },

  failure: () => 'GATELM_KERNELS=fused, but the kernels could not be built',

  advice: ({ env, command }) => [
    ...(missingBuildTools(env).length > 0 ? [buildToolsAdvice()] : []),
    `then: ${command} --retry`,
  ],

  instead: ({ kernels }) => kernels !== 'fused' && 'not built, composed TensorFlow ops serve instead, slower',
};

export function hasSources(settings) {
  return existsSync(join(nativeDir(settings), 'binding.gyp'));
}

function nativeDir(settings) {
  return join(settings.root, 'native');
}

/** Where src/tensor looks for the kernels. */
export function kernelsFile(settings) {
  return join(nativeDir(settings), 'build', 'Release', 'gatelm_kernels.node');
}
