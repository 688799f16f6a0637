/** libtensorflow by tfjs-node's own installer, from the address that is written in it. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.mjs';
import { sealCopy, startCopy } from './libtensorflow-cache.mjs';
import { folderBytes, megabytes, soFar } from './report.mjs';
import { readJson } from './stamps.mjs';
import { buildEnvironment } from './toolchain.mjs';

const LIMIT_SECONDS = 60 * 60;

/** The copy's name in the cache. */
export function installerKey(settings) {
  const version = readJson(join(settings.tfjsDir, 'package.json'))?.version;
  return `tfjs-node-${version}-${process.platform}-${process.arch}`;
}

/** Runs the installer: it leaves libtensorflow in deps/ and the binding in lib/, downloaded or built. */
export async function runTfjsInstaller(settings, report) {
  const deps = join(settings.tfjsDir, 'deps');
  const what = 'tfjs-node’s own installer, downloading 100 to 200 MB';
  const task = report.begin('tensorflow', what, soFar(deps));
  await rm(deps, { recursive: true, force: true }); // half a download would be taken for a whole one
  try {
    await runCommand({
      name: 'tfjs-node-install',
      program: process.execPath,
      args: [join('scripts', 'install.js'), 'cpu', 'download'],
      logsDir: settings.logsDir,
      cwd: settings.tfjsDir,
      env: buildEnvironment(settings),
      limitSeconds: LIMIT_SECONDS,
    });
  } catch (error) {
    await rm(deps, { recursive: true, force: true });
    const why = /^\s*(?:Error: )?((?:getaddrinfo|connect|read|TAR_|Unsupported)\b.*)$/m.exec(
      error.output ?? '',
    )?.[1];
    task.gaveUp('no');
    error.message = why ?? error.message;
    throw error;
  }
  task.done(megabytes(await folderBytes(deps)));
}

/** Keeps what the installer brought for the next checkout. */
export async function keepInstalled(settings) {
  const key = installerKey(settings);
  const partial = await startCopy(settings.cacheDir, key);
  try {
    for (const folder of ['lib', 'include']) {
      await cp(join(settings.tfjsDir, 'deps', folder), join(partial, folder), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
    await sealCopy(partial, settings.cacheDir, key);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
