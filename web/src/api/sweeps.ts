import type { z } from 'zod';
import type { Sweep, SweepPage, SweepTrial } from '../../../src/contracts/sweep-view.js';
import { request } from './request.js';

export async function listSweeps(signal?: AbortSignal): Promise<readonly Sweep[]> {
  return (await request<z.infer<typeof SweepPage>>('/sweeps?limit=100', { signal })).items;
}

/** A sweep with all its trials, which are not older than the sweep: those of a finished one are the last. */
export async function readSweep(
  id: string,
  signal?: AbortSignal,
): Promise<{ readonly sweep: Sweep; readonly trials: readonly SweepTrial[] }> {
  const path = `/sweeps/${encodeURIComponent(id)}`;
  const sweep = await request<Sweep>(path, { signal });
  const { items } = await request<{ items: SweepTrial[] }>(`${path}/trials`, { signal });
  return { sweep, trials: items };
}

export function runSweepVerb(id: string, verb: 'pause' | 'resume' | 'cancel'): Promise<Sweep> {
  return request(`/sweeps/${encodeURIComponent(id)}/${verb}`, { method: 'POST' });
}
