import type { Stepwise } from './stepwise.js';

/** Tokens of the long text per step. */
const BLOCK = 1 << 16;

interface SuffixState {
  readonly next: Map<number, number>;
  link: number;
  length: number;
}

/**
 * For each position of a short text: the length of the longest token sequence ending there that occurs in a long text.
 *
 * Builds a suffix automaton of the short text (Blumer et al. 1985) and reads the long text through it once: the time is
 * linear in the sum of both lengths. Yields between blocks of the long text.
 */
export function* longestMatches(ids: Int32Array, text: Int32Array): Stepwise<Int32Array, undefined> {
  const { states, ends } = buildAutomaton(ids);
  const matched = new Int32Array(states.length); // the longest string of each state that occurs in the text
  let state = 0;
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const id = text[index]!;
    while (state !== 0 && !states[state]!.next.has(id)) {
      state = states[state]!.link;
      length = states[state]!.length;
    }
    const next = states[state]!.next.get(id);
    if (next !== undefined) {
      state = next;
      length += 1;
    }
    matched[state] = Math.max(matched[state]!, length);
    if (index % BLOCK === BLOCK - 1) yield;
  }
  spreadToSuffixes(states, matched);
  return Int32Array.from(ends, (end) => {
    let at = end;
    while (at !== 0 && matched[at] === 0) at = states[at]!.link;
    return matched[at]!;
  });
}

/** @returns the states, the root first, and the state of each prefix of the text */
function buildAutomaton(ids: Int32Array): { states: SuffixState[]; ends: number[] } {
  const states: SuffixState[] = [{ next: new Map(), link: -1, length: 0 }];
  const ends: number[] = [];
  let last = 0;
  for (const id of ids) {
    const added = states.push({ next: new Map(), link: 0, length: states[last]!.length + 1 }) - 1;
    let at = last;
    for (; at !== -1 && !states[at]!.next.has(id); at = states[at]!.link) states[at]!.next.set(id, added);
    if (at !== -1) states[added]!.link = suffixOf(states, at, id);
    ends.push(added);
    last = added;
  }
  return { states, ends };
}

/** The state of a state's longest string followed by the id; clones it if it also represents longer strings. */
function suffixOf(states: SuffixState[], at: number, id: number): number {
  const target = states[at]!.next.get(id)!;
  if (states[at]!.length + 1 === states[target]!.length) return target;
  const { next, link } = states[target]!;
  const clone = states.push({ next: new Map(next), link, length: states[at]!.length + 1 }) - 1;
  for (let from = at; from !== -1 && states[from]!.next.get(id) === target; from = states[from]!.link)
    states[from]!.next.set(id, clone);
  states[target]!.link = clone;
  return clone;
}

/** Every suffix of a matched string is matched too. */
function spreadToSuffixes(states: readonly SuffixState[], matched: Int32Array): void {
  const longestFirst = [...states.keys()].sort((a, b) => states[b]!.length - states[a]!.length);
  for (const at of longestFirst) {
    const { link } = states[at]!;
    if (link > 0 && matched[at]! > 0) matched[link] = states[link]!.length;
  }
}
