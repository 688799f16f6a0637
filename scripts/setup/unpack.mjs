/** Unpacks TensorFlow's wheel, a zip archive, with the Python that downloaded it. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findPython } from './build.mjs';
import { lastLines, runCommand } from './command.mjs';

const SCRIPT = fileURLToPath(new URL('unpack_wheel.py', import.meta.url));

/** Writes the wheel's libraries and C headers below `folder`. @returns {Promise<string>} how many files, in words */
export async function unpackWheel(settings, file, folder) {
  mkdirSync(folder, { recursive: true });
  const { output } = await runCommand({
    ...settings,
    name: 'unpack-wheel',
    program: findPython(settings.env) ?? 'python3',
    args: ['-I', SCRIPT, file, folder],
    cwd: folder,
    reason: /^unpack_wheel: (.*)$/m,
  });
  return lastLines(output, 1);
}
