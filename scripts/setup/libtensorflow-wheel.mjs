/** libtensorflow out of TensorFlow's Python wheel, by pip and its configured index: what pip reaches, gatelm reaches. */
import { readdirSync } from 'node:fs';
import { mkdir, rm, statfs, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from './command.mjs';
import { sealCopy, sha256OfFile, startCopy } from './libtensorflow-cache.mjs';
import { fileBytes, megabytes, soFar } from './report.mjs';
import { existingParent } from './settings.mjs';
import { findPython } from './toolchain.mjs';
import { extractZipEntry, readZipEntries } from './zip-reader.mjs';

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

/** In the wheel → in the copy. */
const LIBRARIES = new Map([
  ['tensorflow/libtensorflow_cc.so.2', 'lib/libtensorflow_cc.so.2'],
  ['tensorflow/libtensorflow_framework.so.2', 'lib/libtensorflow_framework.so.2'],
]);
const LINKS = new Map([
  ['lib/libtensorflow.so.2', 'libtensorflow_cc.so.2'],
  ['lib/libtensorflow.so', 'libtensorflow_cc.so.2'],
  ['lib/libtensorflow_cc.so', 'libtensorflow_cc.so.2'],
  ['lib/libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
]);
/** The C interface and all that it includes; the rest of the wheel's headers is C++ that needs more of TensorFlow. */
const HEADERS =
  /^tensorflow\/include\/((?:tensorflow\/(?:c|core\/platform|core\/common_runtime\/next_pluggable_device\/c)|tsl\/platform|xla\/tsl\/c)\/(?:[\w-]+\/)*[\w-]+\.h)$/;
const DOWNLOAD_SECONDS = 60 * 60;

/** The copy's name in the cache. */
export function wheelKey({ requirement, sha256 } = WHEEL) {
  return `${requirement.replace('==', '-')}-${sha256.slice(0, 16)}`;
}

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

/**
 * Downloads the wheel, checks it, and makes a copy of its libraries and headers in the cache.
 * @returns {Promise<string>} the copy's folder
 */
export async function copyFromWheel(settings, report, wheel = WHEEL) {
  const key = wheelKey(wheel);
  await checkSpace(settings.cacheDir, wheel.bytes + wheel.unpackedBytes);
  const partial = await startCopy(settings.cacheDir, key);
  const download = join(partial, 'download');
  try {
    const file = await downloadWheel(settings, report, wheel, download);
    await checkWheel(file, wheel);
    const task = report.begin('tensorflow', `unpacking ${megabytes(wheel.unpackedBytes)} of it`);
    const count = await unpackWheel(file, partial);
    await rm(download, { recursive: true, force: true });
    const folder = await sealCopy(partial, settings.cacheDir, key);
    task.done(`${count} files, kept in ${settings.cacheDir}`);
    return folder;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function checkSpace(folder, needed) {
  const { bavail, bsize } = await statfs(existingParent(folder));
  if (bavail * bsize < needed) {
    throw new Error(`${folder} has ${megabytes(bavail * bsize)} left, ${megabytes(needed)} are needed`);
  }
}

async function downloadWheel(settings, report, wheel, download) {
  const python = findPython(settings.env);
  if (!python) throw new Error('python3 was not found, whose pip would download it');
  await mkdir(download, { recursive: true });
  const task = report.begin(
    'tensorflow',
    `pip download ${wheel.requirement}, ${megabytes(wheel.bytes)}`,
    soFar(download),
  );
  try {
    await runCommand({
      name: 'pip-download',
      program: python,
      args: [
        ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir'],
        ...['--disable-pip-version-check', '--progress-bar=off', '--python-version', wheel.python],
        ...['--platform', wheel.platform, '--dest', download, wheel.requirement],
      ],
      logsDir: settings.logsDir,
      cwd: download,
      env: { ...settings.env, TMPDIR: download }, // pip downloads into its temporary folder first
      limitSeconds: DOWNLOAD_SECONDS,
    });
  } catch (error) {
    const why =
      /^ERROR: (.*)$/m.exec(error.output ?? '')?.[1] ?? /No module named pip/.exec(error.output ?? '')?.[0];
    task.gaveUp('no');
    error.message = `pip could not download it: ${why ?? error.message}`;
    throw error;
  }
  const name = readdirSync(download).find((file) => file.endsWith('.whl'));
  if (!name) throw new Error('pip downloaded no wheel');
  const file = join(download, name);
  task.done(megabytes(fileBytes(file)));
  return file;
}

/** @throws Error where the file is not the pinned one */
export async function checkWheel(file, { requirement, sha256 } = WHEEL) {
  const found = await sha256OfFile(file);
  if (found === sha256) return;
  throw new Error(
    `the downloaded wheel is not the pinned ${requirement}: expected SHA-256 ${sha256}, got ${found}; it was not used`,
  );
}

/** Writes the wheel's libraries and C headers below `folder`. @returns {Promise<number>} how many files */
export async function unpackWheel(file, folder) {
  const wanted = [];
  for (const entry of await readZipEntries(file)) {
    const header = HEADERS.exec(entry.name)?.[1];
    const to = LIBRARIES.get(entry.name) ?? (header && `include/${header}`);
    if (to) wanted.push({ entry, to });
  }
  for (const library of LIBRARIES.values()) {
    if (!wanted.some(({ to }) => to === library)) throw new Error(`the wheel has no ${library}`);
  }
  for (const { entry, to } of wanted) {
    await mkdir(dirname(join(folder, to)), { recursive: true });
    await extractZipEntry(file, entry, join(folder, to));
  }
  for (const [path, target] of LINKS) await symlink(target, join(folder, path));
  return wanted.length;
}
