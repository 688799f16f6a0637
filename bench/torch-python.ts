import { execFileSync } from 'node:child_process';

/** The Python to run PyTorch with: `GATELM_BENCH_PYTHON`, else python3; and why it cannot, if so. */
export function torchPython(): { readonly python: string; readonly unavailable: string | null } {
  const python = process.env.GATELM_BENCH_PYTHON ?? 'python3';
  try {
    execFileSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' });
    return { python, unavailable: null };
  } catch {
    return {
      python,
      unavailable: `${python} has no torch and numpy (set GATELM_BENCH_PYTHON to one that has)`,
    };
  }
}
