/** What both host processes do: give way to others, end with their server, say that they live. */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { z } from 'zod';
import { type HostReport, HostSettings } from '../contracts/jobs.js';

/** The settings that the server gave this process. */
export function readHostSettings(): HostSettings {
  return HostSettings.parse(JSON.parse(process.argv[2] ?? 'null'));
}

/**
 * To be called before any thread is started: on Linux a thread inherits the priority of the thread that starts it.
 */
export function prepareHostProcess({ niceness, memoryKillScore, heartbeatIntervalMs }: HostSettings): void {
  const say: (sign: HostReport) => void = sendToServer;
  giveWay(niceness, memoryKillScore);
  // A terminal and a service manager signal the whole group; the server decides when its hosts end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  // The server is gone, however it ended. process.exit would wait for threads inside native calls.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  if (!process.connected) process.kill(process.pid, 'SIGKILL');
  setInterval(() => {
    const { user, system } = process.cpuUsage(); // of all threads
    const cpuSeconds = (user + system) / 1e6;
    say({ type: 'heartbeat', rssBytes: process.memoryUsage.rss(), cpuSeconds });
  }, heartbeatIntervalMs);
}

/** Hands each request, parsed, to `handle`. */
export function onRequest<Request>(schema: z.ZodType<Request>, handle: (request: Request) => void): void {
  process.on('message', (message) => handle(schema.parse(message)));
}

/** A lost server is noticed by `disconnect`, not here. */
export function sendToServer(message: { readonly type: string }): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

function giveWay(niceness: number, memoryKillScore: number): void {
  try {
    setPriority(0, niceness);
    if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', String(memoryKillScore));
  } catch {
    // Some containers forbid it; everything works without.
  }
}
