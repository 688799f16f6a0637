/** Reads what changes often: not too often, one at a time, and never leaves out the last change. */
export interface PacedReads {
  /** Says the number that something has now: where it was not read at this one, it is read, at once or after the pause. */
  want(id: string, seq: number): void;
  stop(): void;
}

/**
 * @param pauseMs at least, from the beginning of a read to the next of the same
 * @param read false = it failed, and is tried again after the pause
 */
export function pacedReads(pauseMs: number, read: (id: string) => Promise<boolean>): PacedReads {
  const wanted = new Map<string, number>();
  const done = new Map<string, number>();
  const atWork = new Set<string>();
  let isStopped = false;

  async function work(id: string): Promise<void> {
    atWork.add(id);
    while (!isStopped && done.get(id) !== wanted.get(id)) {
      const seq = wanted.get(id)!;
      const pause = new Promise<void>((resolve) => {
        setTimeout(resolve, pauseMs);
      });
      if (await read(id)) done.set(id, seq);
      await pause;
    }
    atWork.delete(id);
  }

  return {
    want(id, seq) {
      wanted.set(id, seq);
      if (!atWork.has(id)) void work(id);
    },
    stop() {
      isStopped = true;
    },
  };
}
