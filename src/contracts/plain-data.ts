/** Untrusted JSON values: bounded in depth and size, and merged without prototype pollution. */
import { appError } from '../errors.js';

/** Deeper than any valid request, and shallow enough for a recursive parser. */
const MAX_DEPTH = 32;
/** Values of all kinds in one request body, far more than any valid one has. */
const MAX_VALUES = 20_000;

/** Whether a value is an object with named members, not an array. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws validation-failed if the value nests too deeply or has too many members */
export function assertHarmless(value: unknown, what: string): void {
  let count = 0;
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    count += 1;
    if (next.depth > MAX_DEPTH) throw refusal(what, `is nested more than ${MAX_DEPTH} levels deep`);
    if (typeof next.value !== 'object' || next.value === null) continue;
    const members = Object.values(next.value);
    if (count + open.length + members.length > MAX_VALUES)
      throw refusal(what, `has more than ${MAX_VALUES} values`);
    for (const member of members) open.push({ value: member, depth: next.depth + 1 });
  }
}

/**
 * Merges `over` into `base`: objects member by member, everything else as a whole. An object whose `type` differs from
 * that of `base` replaces it: the fields of one optimizer do not apply to another.
 */
export function mergePlain(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isPlainObject(base) || !isPlainObject(over)) return over;
  if (Object.hasOwn(over, 'type') && Object.hasOwn(base, 'type') && over.type !== base.type) return over;
  const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
  const merged = [...keys].map((key): [string, unknown] => [key, mergePlain(own(base, key), own(over, key))]);
  return Object.fromEntries(merged); // defines own members: a key named __proto__ stays a key
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function refusal(what: string, reason: string) {
  const issue = { path: '', message: reason };
  return appError('validation-failed', { summary: `${what} is not valid: it ${reason}`, issues: [issue] });
}
