/** Takes libtensorflow and its C headers out of TensorFlow's wheel, a zip archive, with Python's zipfile. */
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findPython } from './build.mjs';
import { runCommand } from './command.mjs';

/** Each library, and the names by which linkers look for it. */
const LIBRARIES = {
  'libtensorflow_cc.so.2': ['libtensorflow.so', 'libtensorflow.so.2'],
  'libtensorflow_framework.so.2': ['libtensorflow_framework.so'],
};
/** The C interface, and all that it includes. */
const HEADERS = [
  ...['tensorflow/c', 'tensorflow/core/platform', 'tensorflow/core/common_runtime/next_pluggable_device/c'],
  ...['tsl/platform', 'xla/tsl/c'],
];

/** Writes them to lib/ and include/ of `folder`. */
export async function unpackWheel(settings, wheel, folder) {
  const unpacked = join(folder, 'wheel');
  await mkdir(unpacked, { recursive: true });
  const program = findPython(settings.env);
  const args = ['-I', '-m', 'zipfile', '-e', wheel, unpacked];
  const reason = /^(?:\w+\.)*\w+(?:Error|File): (.*)$/m;
  await runCommand({ ...settings, name: 'unpack-wheel', program, args, cwd: folder, reason });
  const moves = Object.keys(LIBRARIES).map((name) => [name, `lib/${name}`]);
  for (const path of HEADERS) moves.push([`include/${path}`, `include/${path}`]);
  for (const [from, to] of moves) {
    await mkdir(dirname(join(folder, to)), { recursive: true });
    await rename(join(unpacked, 'tensorflow', from), join(folder, to));
  }
  for (const [name, links] of Object.entries(LIBRARIES)) {
    for (const link of links) await symlink(name, join(folder, 'lib', link));
  }
  await rm(unpacked, { recursive: true });
}
