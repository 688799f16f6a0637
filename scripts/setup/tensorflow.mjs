/**
 * libtensorflow and tfjs-node's binding to it, from the pinned wheel or by tfjs-node's own installer. Where they cannot be
 * had gatelm runs on TensorFlow.js's WebAssembly backend.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildBinding, requireBuildTools } from './build.mjs';
import { fetchWheel, installPackage, WHEEL } from './fetch.mjs';
import { nativeStep } from './native-step.mjs';
import { say } from './output.mjs';
import { probeTensorflow } from './probe.mjs';
import { unpackWheel } from './unpack.mjs';

export const tensorflow = nativeStep({
  name: 'tensorflow',
  applies: ({ backend }) => backend !== 'wasm',
  packageName: '@tensorflow/tfjs-node',
  abi: 'napi8', // the highest version of N-API that tfjs-node 4.22 knows
  paths: ['deps', join('lib', 'napi-v8', 'tfjs_binding.node')],
  probe: probeTensorflow,
  ways(settings, dir) {
    if (!existsSync(dir)) throw new Error('tfjs-node is not installed');
    if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime)
      throw new Error('it needs glibc; this Linux has another C library (musl)');
    return [
      {
        name: 'wheel',
        id: WHEEL.requirement.replace('==', '-'),
        what: `the wheel ${WHEEL.requirement} by pip, 274 MB`,
        make: () => fromWheel(settings, dir),
      },
      {
        name: 'installer',
        what: 'tfjs-node’s own installer, downloading 100 to 200 MB',
        make: () => installPackage(settings, '@tensorflow/tfjs-node'),
      },
    ];
  },
  failure: 'GATELM_BACKEND=native, but libtensorflow could not be installed',
  instead: ({ backend }) =>
    backend !== 'native' &&
    'libtensorflow could not be installed: gatelm runs on its WebAssembly backend, several times slower',
  advice: [
    `let pip reach an index that has ${WHEEL.requirement} (pip config set global.index-url …, PIP_FIND_LINKS), ` +
      'or let this machine reach the address of tfjs-node’s installer (TFJS_NODE_CDN_STORAGE names a mirror)',
  ],
});

async function fromWheel(settings, dir) {
  const target = `${process.platform}-${process.arch}`;
  if (target !== 'linux-x64') throw new Error(`the pinned wheel is for linux-x64, this is ${target}`);
  requireBuildTools(settings); // before anything large is downloaded
  const folder = join(settings.cacheDir, 'download');
  const wheel = await fetchWheel(settings, WHEEL, folder);
  say('→ tensorflow: unpacking the wheel, 850 MB');
  await unpackWheel(settings, wheel, join(dir, 'deps'));
  say('→ tensorflow: building tfjs-node’s binding, about 10 s');
  await buildBinding(settings, dir);
  await rm(folder, { recursive: true });
}
