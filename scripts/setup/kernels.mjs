/** Step: gatelm's own kernels in native/, by node-gyp. Where they cannot be built, composed TensorFlow ops serve. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, SetupError } from './failure.mjs';
import { checkLoads, LOAD_TFJS_NODE } from './load-check.mjs';
import { fileBytes, megabytes } from './report.mjs';
import { filesBelow, hashFiles } from './stamps.mjs';
import { buildToolsAdvice, missingBuildTools, runNodeGyp } from './toolchain.mjs';

const NAME = 'kernels';

/** @type {import('./set-up.mjs').Step} */
export const kernelsStep = { name: NAME, isDone, run };

function isDone(context) {
  const { settings, stamps } = context;
  if (settings.backend === 'wasm' || settings.kernels === 'composed') return true;
  if (!existsSync(join(nativeDir(settings), 'binding.gyp'))) return true;
  const library = stamps.read('tensorflow');
  if (library?.unavailable) return settings.kernels === 'auto'; // there is nothing to link with
  const stamp = stamps.read(NAME);
  if (!library || stamp?.key !== keyOf(context)) return false;
  if (stamp.unavailable) {
    return settings.kernels === 'auto' && stamp.missingTools === missingBuildTools(settings.env).join();
  }
  return fileBytes(kernelsFile(settings)) > 0;
}

async function run(context) {
  const { settings, report, stamps } = context;
  const key = keyOf(context);
  const missing = missingBuildTools(settings.env);
  try {
    if (stamps.read('tensorflow')?.unavailable) throw new Error('there is no libtensorflow to link with');
    if (missing.length > 0) throw new Error(`${missing.join(', ')} not found`);
    await build(settings, report);
    stamps.write(NAME, { key });
  } catch (error) {
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
    stamps.write(NAME, { key, unavailable: true, missingTools: missing.join(), reasons: [reason] });
    report.warn(
      NAME,
      [
        `not built, composed TensorFlow ops serve instead, slower: ${reason}`,
        ...(error.output ? error.output.split('\n').map((line) => `| ${line}`) : []),
        ...(error.logFile ? [`all of the output: ${error.logFile}`] : []),
        `to do: ${missing.length > 0 ? `${buildToolsAdvice()}, then ` : ''}npm run setup -- --retry`,
      ].join('\n'),
    );
  }
}

async function build(settings, report) {
  const task = report.begin(NAME, 'building native/ with node-gyp, about half a minute');
  try {
    // After a whole build make compiles only what has changed; an interrupted one may have left half an object file.
    const whole = join(nativeDir(settings), 'build', 'whole');
    const how = existsSync(whole) ? ['configure', 'build'] : ['rebuild'];
    rmSync(whole, { force: true });
    await runNodeGyp(settings, {
      name: 'kernels-build',
      args: [...how, '--release'],
      cwd: nativeDir(settings),
    });
    writeFileSync(whole, '');
    await checkKernels(settings);
  } catch (error) {
    task.gaveUp('no');
    rmSync(kernelsFile(settings), { force: true }); // not half a one
    const compilers = error.logFile && /^.*\berror: .*$/m.exec(readFileSync(error.logFile, 'utf8'))?.[0];
    if (compilers) error.message = compilers.trim();
    throw error;
  }
  task.done(`${megabytes(fileBytes(kernelsFile(settings)))}, loads`);
}

function checkKernels(settings) {
  return checkLoads(
    `${LOAD_TFJS_NODE}
    require(${JSON.stringify(kernelsFile(settings))});
    process.stdout.write(tf.version_core);`,
    settings.root,
  );
}

function nativeDir(settings) {
  return join(settings.root, 'native');
}

/** Where src/tensor looks for the kernels. */
function kernelsFile(settings) {
  return join(nativeDir(settings), 'build', 'Release', 'gatelm_kernels.node');
}

function keyOf({ settings, stamps }) {
  const sources = filesBelow(nativeDir(settings), () => true, ['build']);
  const library = stamps.read('tensorflow');
  return [hashFiles(settings.root, sources), library?.version, library?.key].join(' ');
}
