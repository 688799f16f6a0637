import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EventBus } from '../../src/experiments/event-bus.js';
import { createEventLog } from '../../src/experiments/event-log.js';
import { RunRecorder } from '../../src/experiments/run-recorder.js';
import { SUCCEEDED_EVENT, startedEvent, stepEvent } from '../support/fake-executor.js';
import { insertExperiment, temporaryStore } from '../support/store.js';

function prepare(context: TestContext) {
  const store = temporaryStore(context);
  const log = createEventLog(store, new EventBus((error) => assert.fail(String(error))));
  let transactions = 0;
  const counted = {
    ...store,
    transaction: <Result>(body: () => Result) => {
      transactions += 1;
      return store.transaction(body);
    },
  };
  const experiments = [insertExperiment(store), insertExperiment(store)];
  for (const { id } of experiments) log.record(id, { type: 'preparing', data: { attempt: 1 } });
  return {
    log,
    warnings: () =>
      store.events
        .after(experiments[0]!, 0, 1000)
        .flatMap(({ type, data }) => (type === 'warning' ? [data] : [])),
    recorder: new RunRecorder({ store: counted, log }),
    leases: experiments.map(({ id }) => ({ experimentId: id, attempt: 1 })),
    stepsOf: (index: number) =>
      store.events.after(experiments[index]!, 0, 1000).filter(({ type }) => type === 'step').length,
    stateOf: (index: number) => store.experiments.find(experiments[index]!.id)!.state,
    /** Without those of each event, which are part of the one around them. */
    outermost: (events: number) => transactions - events,
  };
}

const THREE = [
  { seq: 1, event: startedEvent() },
  { seq: 2, event: stepEvent(1) },
  { seq: 3, event: stepEvent(2) },
];

test('events of several trainings that arrive together are stored in one transaction', async (context) => {
  const { recorder, leases, stepsOf, outermost } = prepare(context);
  await Promise.all(leases.map((lease) => recorder.record(lease, THREE)));
  assert.deepEqual([stepsOf(0), stepsOf(1)], [2, 2]);
  assert.equal(outermost(2 * THREE.length), 1);
  await recorder.record(leases[0]!, THREE);
  assert.equal(stepsOf(0), 2, 'what arrives twice is stored once');
});

test('a transaction takes no more batches when it is long enough', async (context) => {
  const { recorder, leases, stepsOf, outermost } = prepare(context);
  const many = [
    ...THREE,
    ...Array.from({ length: 97 }, (_, index) => ({ seq: index + 4, event: stepEvent(index + 3) })),
  ];
  await Promise.all(leases.map((lease) => recorder.record(lease, many)));
  assert.deepEqual([stepsOf(0), stepsOf(1)], [99, 99]);
  assert.equal(outermost(2 * many.length), 2);
});

test('events that cannot be stored leave none of their batch behind, and those of another training alone', async (context) => {
  const { recorder, leases, stepsOf, stateOf } = prepare(context);
  const impossible = [
    { seq: 1, event: SUCCEEDED_EVENT }, // before it has started
    { seq: 2, event: stepEvent(1) },
  ];
  const [refused, stored] = await Promise.allSettled([
    recorder.record(leases[0]!, impossible),
    recorder.record(leases[1]!, THREE),
  ]);
  assert.match(String(refused.status === 'rejected' && refused.reason), /cannot become succeeded/);
  assert.equal(stored.status, 'fulfilled');
  assert.deepEqual([stepsOf(0), stateOf(0)], [0, 'preparing']);
  assert.deepEqual([stepsOf(1), stateOf(1)], [2, 'running']);
});

test('a training that continues on other kernels is warned of once; one that begins anew, or on the same, is not', async (context) => {
  const { recorder, leases, log, warnings } = prepare(context);
  const lease = leases[0]!;
  const attempt = async (
    number: number,
    kernels: string,
    resumedFrom: { epoch: number; step: number } | null,
  ) => {
    if (number > 1)
      log.record(lease.experimentId, { type: 'interrupted', data: { reason: 'a test', willRestart: true } });
    if (number > 1) log.record(lease.experimentId, { type: 'queued', data: { position: 0 } });
    log.record(lease.experimentId, { type: 'preparing', data: { attempt: number } }, { runSeq: 0 });
    const started = startedEvent(number, resumedFrom);
    const event = { ...started, data: { ...started.data, kernels } };
    await recorder.record({ ...lease, attempt: number }, [{ seq: 1, event }]);
    await recorder.record({ ...lease, attempt: number }, [{ seq: 1, event }]);
  };
  await attempt(1, 'fused', null);
  await attempt(2, 'fused', { epoch: 1, step: 10 });
  await attempt(3, 'composed', null);
  assert.deepEqual(warnings(), []);
  await attempt(4, 'fused', { epoch: 1, step: 10 });
  const [warning, ...others] = warnings();
  assert.equal(others.length, 0);
  assert.match(warning!.message, /^It continues with kernels fused instead of composed: /);
});
