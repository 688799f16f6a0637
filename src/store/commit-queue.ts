import type { Database } from './database.js';

/** Runs transactions, and what is to happen only when the outermost of them has been committed. */
export interface CommitQueue {
  /** All of `body` is stored, or nothing. Within another transaction it is a part of that one. */
  transaction<Result>(body: () => Result): Result;
  /** Calls `callback` after the present transaction has been committed, never when it is rolled back; at once outside of one. */
  afterCommit(callback: () => void): void;
}

/** Callbacks are called in the order of their transactions, also when one of them begins another transaction. */
export function createCommitQueue(database: Database): CommitQueue {
  /** Of the transaction that is open. */
  const pending: (() => void)[] = [];
  /** Of transactions that are committed. */
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
        pending.length = before; // rolled back, alone where the outer transaction goes on
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
