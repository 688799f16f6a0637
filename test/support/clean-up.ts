import type { TestContext } from 'node:test';

export type CleanUp = () => unknown;
export type CleanUpOwner = Pick<TestContext, 'after'>;

const cleanUps = new WeakMap<CleanUpOwner, CleanUp[]>();

/**
 * Calls `action` after the test, before what was handed over earlier, so a server ends before its folder is removed.
 * Where one fails, the others are called all the same. (The hooks of node:test itself run in the order of their
 * registration, and none of them after one that failed.)
 */
export function cleanUp(test: CleanUpOwner, action: CleanUp): void {
  const known = cleanUps.get(test);
  if (known) {
    known.push(action);
    return;
  }
  const actions = [action];
  cleanUps.set(test, actions);
  test.after(() => callAll(actions));
}

async function callAll(actions: CleanUp[]): Promise<void> {
  const errors: unknown[] = [];
  for (let action = actions.pop(); action; action = actions.pop()) {
    try {
      await action();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 1) throw new AggregateError(errors, errors.join('\n'));
  if (errors.length) throw errors[0];
}
