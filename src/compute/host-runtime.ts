/** Common to both host processes: lower their priority, exit with their server, send heartbeats. */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { z } from 'zod';
import { type HostReport, HostSettings } from '../contracts/jobs.js';

/** The settings from the server. */
export function readHostSettings(): HostSettings {
  return HostSettings.parse(JSON.parse(process.argv[2] ?? 'null'));
}

/**
 * Must be called before any thread is started: on Linux a thread inherits the priority of the thread that starts it.
 */
export function prepareHostProcess({ niceness, memoryKillScore, heartbeatIntervalMs }: HostSettings): void {
  const send: (report: HostReport) => void = sendToServer;
  lowerPriority(niceness, memoryKillScore);
  // Terminals and service managers signal the whole process group; the server decides when its hosts exit.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  // The server has exited for whatever reason. process.exit would wait for threads inside native calls.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  if (!process.connected) process.kill(process.pid, 'SIGKILL');
  setInterval(() => {
    const { user, system } = process.cpuUsage(); // of all threads
    const cpuSeconds = (user + system) / 1e6;
    send({ type: 'heartbeat', rssBytes: process.memoryUsage.rss(), cpuSeconds });
  }, heartbeatIntervalMs);
}

/** Parses each request and passes it to `handle`. */
export function onRequest<Request>(schema: z.ZodType<Request>, handle: (request: Request) => void): void {
  process.on('message', (message) => handle(schema.parse(message)));
}

/** Errors are ignored: a lost server is detected by `disconnect`. */
export function sendToServer(message: { readonly type: string }): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

function lowerPriority(niceness: number, memoryKillScore: number): void {
  try {
    setPriority(0, niceness);
    if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', String(memoryKillScore));
  } catch {
    // Some containers forbid it; it is optional.
  }
}
