import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ExperimentRecord } from '../../src/contracts/experiment-record.js';
import { resolveExperimentInput } from '../../src/contracts/resolve-config.js';
import { newExperimentId } from '../../src/experiments/experiment-id.js';
import { openStore, type Store } from '../../src/store/store.js';
import { cleanUp } from './clean-up.js';
import { temporaryFolder } from './service.js';

/** A store of its own, closed after the test. */
export function temporaryStore(test: TestContext): Store {
  const store = openStore(join(temporaryFolder(test), 'test.sqlite'));
  cleanUp(test, () => store.close());
  return store;
}

/** Stores an experiment as POST would, without queueing it. */
export function insertExperiment(
  store: Store,
  fields: { name?: string; tags?: string[]; preset?: string; requires?: object } = {},
): ExperimentRecord {
  const { name, tags, notes, priority, ...config } = resolveExperimentInput({ ...fields });
  return store.experiments.insert({
    id: newExperimentId(),
    name: name ?? 'a test',
    tags,
    notes,
    priority,
    state: 'queued',
    config,
    parentId: null,
    createdAt: new Date().toISOString(),
  });
}
