import { type Comparison, RESULT_KEYS, type ResultKey } from '../contracts/comparison.js';
import { differingPaths, settingsOf } from '../contracts/config-differences.js';
import type { Experiment } from '../contracts/experiment.js';
import type { Store } from '../store/store.js';
import { viewExperiments } from './experiment-view.js';
import { findByIdOrName } from './find-experiment.js';

/** Results of which the lowest is the best, and whether that holds only within one corpus and one tokenizer. */
const LOWEST_IS_BEST: Partial<Record<ResultKey, { readonly sameTokensOnly: boolean }>> = {
  bestValidPerplexity: { sameTokensOnly: true },
  testPerplexity: { sameTokensOnly: true },
  bestValidBitsPerByte: { sameTokensOnly: false },
  testBitsPerByte: { sameTokensOnly: false },
};

/**
 * Experiments side by side: in what their configs differ, and what they came to.
 * @param ids or names; one that comes again stands once
 * @throws experiment-not-found
 */
export function compareExperiments(store: Store, ids: readonly string[]): Comparison {
  const records = new Map(
    ids.map((id) => findByIdOrName(store, id)).map((record) => [record.number, record]),
  );
  const items = viewExperiments(store, [...records.values()]);
  const configs = items.map(({ config }) => settingsOf(config));
  const paths = differingPaths(configs);
  const sameTokens = !paths.some((path) => path === 'corpus' || path.startsWith('tokenizer.'));
  return {
    items,
    differences: paths.map((path) => ({ path, values: configs.map((config) => config[path] ?? null) })),
    results: RESULT_KEYS.map((key) => {
      const values = items.map((item) => resultsOf(item)[key]);
      const rule = LOWEST_IS_BEST[key];
      const isComparable = rule !== undefined && (sameTokens || !rule.sameTokensOnly);
      return { key, values, best: isComparable ? idOfLowest(items, values) : null };
    }),
  };
}

export function resultsOf({
  latest,
  best,
  test,
  parameterCount,
}: Experiment): Record<ResultKey, number | null> {
  return {
    epochs: latest.epoch,
    bestEpoch: best.epoch,
    bestValidPerplexity: best.validPerplexity,
    bestValidBitsPerByte: best.validBitsPerByte,
    testPerplexity: test.perplexity,
    testBitsPerByte: test.bitsPerByte,
    parameterCount,
    tokensPerSecond: latest.tokensPerSecond,
  };
}

function idOfLowest(items: readonly Experiment[], values: readonly (number | null)[]): string | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : items[values.indexOf(Math.min(...known))]!.id;
}
