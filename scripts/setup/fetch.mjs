/** Downloads: libtensorflow's wheel by pip, and what packages download by their own installers. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildEnvironment, findPython } from './build.mjs';
import { runCommand, runNpm } from './command.mjs';
import { verifyDownload } from './verify.mjs';

/** The wheel that gatelm is built against. Another version: change all of it together. */
export const WHEEL = {
  requirement: 'tensorflow_cpu==2.21.0',
  python: '311',
  platform: 'manylinux_2_27_x86_64', // Node 20 itself needs glibc 2.28
  sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
};

/**
 * Downloads the wheel with pip: whatever index pip reaches, set-up reaches. What a set-up that was interrupted later has
 * downloaded is taken.
 * @returns {Promise<string>} the file, verified
 */
export async function fetchWheel(settings, { requirement, python, platform, sha256 }, folder) {
  const program = findPython(settings.env);
  if (!program) throw new Error('python3 was not found, whose pip would download it');
  mkdirSync(folder, { recursive: true });
  const find = () => readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (!find()) {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true }); // an interrupted pip's
    const args = [
      ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir'],
      ...['--disable-pip-version-check', '--progress-bar=off', '--python-version', python],
      ...['--platform', platform, '--dest', folder, requirement],
    ];
    const env = { ...settings.env, TMPDIR: folder }; // pip downloads into its temporary folder first
    const reason = /^(?:ERROR: |.*(?=No module named pip))(.*)$/m;
    await runCommand({ ...settings, name: 'pip-download', program, args, cwd: folder, env, reason });
  }
  const file = join(folder, find());
  await verifyDownload(file, requirement, sha256);
  return file;
}

/** Runs a package's own installer, which downloads a binary or builds it. */
export async function installPackage(settings, packageName) {
  await runNpm(settings, {
    name: `${packageName.replace(/^@.*\//, '')}-install`,
    args: ['run', 'install'],
    cwd: settings.packageDir(packageName),
    env: buildEnvironment(settings),
    reason: /^\s*(?:Error: )?((?:getaddrinfo|connect|read|TAR_|Unsupported)\b.*|.*\berror: .*)$/m,
  });
}
