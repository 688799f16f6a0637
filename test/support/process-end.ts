import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** Waits until a process that is not a child of this one is gone; one that nobody has waited for counts as gone. */
export async function untilGone(pid: number, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (isRunning(pid)) {
    assert.ok(performance.now() < deadline, `process ${pid} still runs after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
