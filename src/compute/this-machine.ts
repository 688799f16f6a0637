import { readFileSync } from 'node:fs';
import { arch, platform, totalmem } from 'node:os';
import type { Machine } from '../contracts/machine.js';

/** CPU features that make a difference to the kernels. */
const FEATURES = ['avx2', 'fma', 'avx512f', 'avx512_bf16', 'amx_tile', 'amx_bf16', 'asimd', 'bf16', 'sve'];

/** The machine that this process runs on. @param given labels beside those that are found */
export function thisMachine(given: readonly string[] = []): Machine {
  const found = [platform(), arch(), ...cpuFeatures()];
  return { labels: [...new Set([...found, ...given])], memoryBytes: totalmem() };
}

/** Those of the first core, where Linux tells. */
function cpuFeatures(): string[] {
  try {
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    const has = new Set(flags.trim().split(/\s+/));
    return FEATURES.filter((feature) => has.has(feature));
  } catch {
    return []; // not Linux
  }
}
