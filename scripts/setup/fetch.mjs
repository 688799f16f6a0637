/** Downloads: libtensorflow by pip or by tfjs-node's own installer, better-sqlite3's prebuilt binary. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildEnvironment, findPython } from './build.mjs';
import { runCommand } from './command.mjs';
import { bytesOf, megabytes } from './report.mjs';

/** The wheel that gatelm is built against. Another version: change all of it together. */
export const WHEEL = {
  requirement: 'tensorflow_cpu==2.21.0',
  python: '311',
  platform: 'manylinux_2_27_x86_64',
  glibc: [2, 27],
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  bytes: 273_829_956,
  unpackedBytes: 853_308_936,
};

const LIMIT_SECONDS = 60 * 60;
const PREBUILT_LIMIT_SECONDS = 120;

/** Why the wheel cannot serve on this machine, or undefined. */
export function wheelUnsuitable(wheel = WHEEL) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `the pinned wheel is for Linux x64, this is ${process.platform} ${process.arch}`;
  }
  const version = process.report?.getReport()?.header?.glibcVersionRuntime;
  if (!version) return 'it is built for glibc; this Linux has another C library (musl)';
  const [major, minor] = version.split('.').map(Number);
  const [needsMajor, needsMinor] = wheel.glibc;
  if (major > needsMajor || (major === needsMajor && minor >= needsMinor)) return undefined;
  return `the pinned wheel needs glibc ${wheel.glibc.join('.')}, this is ${version}`;
}

/** Downloads the wheel with pip: whatever index pip reaches, set-up reaches. @returns {Promise<string>} the file */
export async function downloadWheel({ settings, report }, wheel, folder) {
  const python = findPython(settings.env);
  if (!python) throw new Error('python3 was not found, whose pip would download it');
  mkdirSync(folder, { recursive: true });
  let file;
  async function download() {
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
    const name = readdirSync(folder).find((file) => file.endsWith('.whl'));
    if (!name) throw new Error('pip downloaded no wheel');
    file = join(folder, name);
    return megabytes(bytesOf(file));
  }
  const what = `pip download ${wheel.requirement}, ${megabytes(wheel.bytes)}`;
  await report.task('tensorflow', what, download, () => megabytes(bytesOf(folder)));
  return file;
}

/** Runs tfjs-node's installer: it leaves libtensorflow in deps/ and the binding in lib/, downloaded or built. */
export async function runTfjsInstaller({ settings, report }, tfjsDir) {
  const deps = join(tfjsDir, 'deps');
  async function install() {
    rmSync(deps, { recursive: true, force: true }); // half a download would be taken for a whole one
    await runCommand({
      ...settings,
      name: 'tfjs-node-install',
      program: process.execPath,
      args: [join('scripts', 'install.js'), 'cpu', 'download'],
      cwd: tfjsDir,
      env: buildEnvironment(settings),
      limitSeconds: LIMIT_SECONDS,
      reason: /^\s*(?:Error: )?((?:getaddrinfo|connect|read|TAR_|Unsupported)\b.*)$/m,
    }).catch((error) => {
      rmSync(deps, { recursive: true, force: true });
      throw error;
    });
    return megabytes(bytesOf(deps));
  }
  const what = 'tfjs-node’s own installer, downloading 100 to 200 MB';
  await report.task('tensorflow', what, install, () => megabytes(bytesOf(deps)));
}

/** Downloads better-sqlite3's prebuilt binary into its build/Release. */
export async function downloadSqlite(settings) {
  const cwd = settings.packageDir('better-sqlite3');
  rmSync(join(cwd, 'build'), { recursive: true, force: true });
  await runCommand({
    ...settings,
    name: 'better-sqlite3-prebuilt',
    program: process.execPath,
    args: [join(settings.packageDir('prebuild-install', cwd), 'bin.js')],
    cwd,
    env: { ...buildEnvironment(settings), npm_config_loglevel: 'info' }, // it gives its reasons at this level only
    limitSeconds: PREBUILT_LIMIT_SECONDS,
    reason: /(?:warn|ERR!) install (.*)/,
  });
}
