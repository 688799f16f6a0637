import type { Database } from './database.js';

/** Runs transactions, and callbacks after the outermost one has been committed. */
export interface CommitQueue {
  /** Runs `body` atomically. A nested transaction is part of the outer one. */
  transaction<Result>(body: () => Result): Result;
  /** Calls `callback` after the current transaction has been committed, never if it is rolled back; immediately outside of one. */
  afterCommit(callback: () => void): void;
}

/** Callbacks run in the order of their transactions, even if one of them starts another transaction. */
export function createCommitQueue(database: Database): CommitQueue {
  /** Callbacks of the open transaction. */
  const pending: (() => void)[] = [];
  /** Callbacks of committed transactions. */
  const due: (() => void)[] = [];
  let isCalling = false;

  function callDue(): void {
    if (isCalling) return;
    isCalling = true;
    try {
      for (let next = due.shift(); next; next = due.shift()) next();
    } finally {
      isCalling = false;
    }
  }

  return {
    transaction(body) {
      const isOutermost = !database.inTransaction;
      const before = pending.length;
      let result: ReturnType<typeof body>;
      try {
        result = database.transaction(body).immediate();
      } catch (error) {
        pending.length = before; // rolled back; an outer transaction may continue
        throw error;
      }
      if (isOutermost) {
        due.push(...pending.splice(0));
        callDue();
      }
      return result;
    },
    afterCommit(callback) {
      if (database.inTransaction) {
        pending.push(callback);
        return;
      }
      due.push(callback);
      callDue();
    },
  };
}
