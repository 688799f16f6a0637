/** gatelm's own kernels in native/. Where they cannot be built, composed TensorFlow ops serve. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildKernels, buildToolsAdvice, missingBuildTools } from '../build.mjs';
import { reasonOf, SetupError } from '../failure.mjs';
import { probeKernels } from '../probe.mjs';
import { bytesOf, megabytes } from '../report.mjs';
import { filesBelow, hashFiles } from '../stamps.mjs';

const NAME = 'kernels';

/** @type {import('./is-done.mjs').Step} */
export const kernelsStep = {
  name: NAME,

  applies({ settings, stamps }) {
    if (settings.backend === 'wasm' || settings.kernels === 'composed') return false;
    if (!existsSync(join(nativeDir(settings), 'binding.gyp'))) return false;
    return settings.kernels === 'fused' || !stamps.read('tensorflow')?.unavailable; // there is nothing to link with
  },

  key({ settings, stamps }) {
    const sources = filesBelow(nativeDir(settings), undefined, ['build', 'test']);
    const library = stamps.read('tensorflow');
    return [hashFiles(settings.root, sources), library?.version, library?.key].join(' ');
  },

  isThere({ settings }, stamp) {
    if (!stamp.unavailable) return bytesOf(kernelsFile(settings)) > 0;
    return settings.kernels === 'auto' && stamp.missingTools === missingBuildTools(settings.env).join();
  },

  async run({ settings, report, stamps }) {
    try {
      if (stamps.read('tensorflow')?.unavailable) throw new Error('there is no libtensorflow to link with');
      await report.task(NAME, 'building native/ with node-gyp, about half a minute', async () => {
        await buildKernels(settings, settings.packageDir('@tensorflow/tfjs-node'));
        await probeKernels(settings, kernelsFile(settings));
        return `${megabytes(bytesOf(kernelsFile(settings)))}, loads`;
      });
    } catch (error) {
      rmSync(kernelsFile(settings), { force: true }); // not half a file
      return giveUp(settings, report, error);
    }
  },
};

function giveUp(settings, report, error) {
  const missing = missingBuildTools(settings.env);
  const reason = reasonOf(error);
  if (settings.kernels === 'fused') {
    throw new SetupError('GATELM_KERNELS=fused, but the kernels could not be built', {
      tried: [reason],
      output: error.output,
      logFile: error.logFile,
      advice: [buildToolsAdvice()],
      cause: error,
    });
  }
  const lines = [
    `not built, composed TensorFlow ops serve instead, slower: ${reason}`,
    ...(error.output ? error.output.split('\n').map((line) => `| ${line}`) : []),
    ...(error.logFile ? [`all of the output: ${error.logFile}`] : []),
    `to do: ${missing.length > 0 ? `${buildToolsAdvice()}, then ` : ''}${settings.command} --retry`,
  ];
  report.warn(NAME, lines.join('\n'));
  return { unavailable: true, missingTools: missing.join(), reasons: [reason] };
}

function nativeDir(settings) {
  return join(settings.root, 'native');
}

/** Where src/tensor looks for the kernels. */
export function kernelsFile(settings) {
  return join(nativeDir(settings), 'build', 'Release', 'gatelm_kernels.node');
}
