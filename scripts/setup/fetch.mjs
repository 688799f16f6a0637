/** Downloads: libtensorflow by pip or by tfjs-node's own installer, better-sqlite3's prebuilt binary. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findPython, runScript } from './build.mjs';
import { runCommand } from './command.mjs';
import { bytesOf, megabytes } from './report.mjs';

/** The wheel that gatelm is built against. Another version: change all of it together. */
export const WHEEL = {
  requirement: 'tensorflow_cpu==2.21.0',
  python: '311',
  platform: 'manylinux_2_27_x86_64', // Node 20 itself needs glibc 2.28
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  bytes: 273_829_956,
  unpackedBytes: 853_308_936,
};

const LIMIT_SECONDS = 60 * 60;
const PREBUILT_LIMIT_SECONDS = 120;

/** Downloads the wheel with pip: whatever index pip reaches, set-up reaches. @returns {Promise<string>} the file */
export async function downloadWheel({ settings, report }, wheel, folder) {
  const python = findPython(settings.env);
  if (!python) throw new Error('python3 was not found, whose pip would download it');
  mkdirSync(folder, { recursive: true });
  const what = `pip download ${wheel.requirement}, ${megabytes(wheel.bytes)}`;
  await report.task('tensorflow', what, async () => {
    await runCommand({
      ...settings,
      name: 'pip-download',
      program: python,
      args: [
        ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir'],
        ...['--disable-pip-version-check', '--progress-bar=off', '--python-version', wheel.python],
        ...['--platform', wheel.platform, '--dest', folder, wheel.requirement],
      ],
      cwd: folder,
      env: { ...settings.env, TMPDIR: folder }, // pip downloads into its temporary folder first
      limitSeconds: LIMIT_SECONDS,
      reason: /^(?:ERROR: |.*(?=No module named pip))(.*)$/m,
    }).catch((error) => {
      error.message = `pip could not download it: ${error.message}`;
      throw error;
    });
    return megabytes(bytesOf(folder));
  });
  const name = readdirSync(folder).find((file) => file.endsWith('.whl'));
  if (!name) throw new Error('pip downloaded no wheel');
  return join(folder, name);
}

/** Runs tfjs-node's installer: it leaves libtensorflow in deps/ and the binding in lib/, downloaded or built. */
export async function runTfjsInstaller({ settings, report }, tfjsDir) {
  const deps = join(tfjsDir, 'deps');
  const removeDeps = () => rmSync(deps, { recursive: true, force: true });
  await report.task('tensorflow', 'tfjs-node’s own installer, downloading 100 to 200 MB', async () => {
    removeDeps(); // half a download would be taken for a whole one
    const args = [join('scripts', 'install.js'), 'cpu', 'download'];
    await runScript(settings, 'tfjs-node-install', tfjsDir, args, {
      limitSeconds: LIMIT_SECONDS,
      reason: /^\s*(?:Error: )?((?:getaddrinfo|connect|read|TAR_|Unsupported)\b.*)$/m,
    }).catch((error) => {
      removeDeps();
      throw error;
    });
    return megabytes(bytesOf(deps));
  });
}

/** Downloads better-sqlite3's prebuilt binary into its build/Release. */
export async function downloadSqlite(settings) {
  const cwd = settings.packageDir('better-sqlite3');
  rmSync(join(cwd, 'build'), { recursive: true, force: true });
  const script = join(settings.packageDir('prebuild-install', cwd), 'bin.js');
  await runScript(settings, 'better-sqlite3-prebuilt', cwd, [script], {
    limitSeconds: PREBUILT_LIMIT_SECONDS,
    reason: /(?:warn|ERR!) install (.*)/,
  });
}
