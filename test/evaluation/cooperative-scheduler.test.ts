import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCooperatively } from '../../src/evaluation/cooperative-scheduler.js';
import { evaluateDynamicallyStepwise } from '../../src/evaluation/dynamic-evaluation.js';
import { evaluate, evaluateStepwise } from '../../src/evaluation/evaluate.js';
import { evaluateWithCacheStepwise } from '../../src/evaluation/neural-cache.js';
import { runToEnd } from '../../src/evaluation/stepwise.js';
import * as tf from '../../src/tensor/tensorflow.js';
import { useBackend } from '../support/backend.js';
import { createTinyModel, tinyText } from '../support/tiny-model.js';

const READING = { batchSize: 3, bpttLength: 4, counting: 'exact' } as const;
const CACHE = { window: 20, theta: 0.5, lambda: 0.3 };
const SGD = { rule: 'sgd', learningRate: 0.2, decay: 0, epsilon: 0, segmentLength: 5 } as const;
const FREE = { isCancelled: () => false, othersWait: () => false };

describe('runCooperatively', () => {
  useBackend();

  it('lets several evaluations of one model run at once, each as if alone', async () => {
    const model = createTinyModel();
    evaluate(model, tinyText(9), READING); // the model packs its weights at the first reading, and keeps them
    const before = tf.memory().numTensors;
    const texts = [tinyText(300, 1), tinyText(200, 2), tinyText(250, 3), tinyText(150, 4)] as const;
    const start = () => [
      evaluateStepwise(model, texts[0], READING),
      evaluateStepwise(model, texts[1], READING),
      evaluateWithCacheStepwise(model, texts[2], CACHE),
      evaluateDynamicallyStepwise(model, texts[3], { cache: null, dynamic: SGD, statistics: null }),
    ];
    const alone = start().map((steps) => runToEnd(steps));
    const together = await Promise.all(start().map((steps) => runCooperatively(steps, FREE)));
    assert.deepEqual(together, alone);
    assert.equal(tf.memory().numTensors, before);
    model.dispose();
  });

  it('leaves the model its own past in between', async () => {
    const model = createTinyModel();
    const ids = tinyText(100);
    const steps = evaluateStepwise(model, ids, READING);
    model.read(ids.subarray(0, 7));
    const next = () => {
      const logits = model.nextLogits(Int32Array.of(3));
      const values = logits.dataSync().slice();
      logits.dispose();
      return values;
    };
    const state = model.takeState()!;
    model.putState(state.copy());
    const expected = next();
    model.takeState()?.dispose();
    model.putState(state);
    steps.next();
    steps.next();
    assert.deepEqual(next(), expected);
    assert.deepEqual(runToEnd(steps), evaluate(model, ids, READING));
    model.putState(null);
    model.dispose();
  });

  it('ends when it is cancelled, and frees what it held', async () => {
    const model = createTinyModel();
    evaluate(model, tinyText(9), READING); // packs the weights
    const before = tf.memory().numTensors;
    let steps = 0;
    const running = runCooperatively(evaluateWithCacheStepwise(model, tinyText(2000), CACHE), {
      ...FREE,
      onStep: () => {
        steps += 1;
      },
      isCancelled: () => steps === 3,
    });
    await assert.rejects(running, { code: 'cancelled' });
    assert.equal(steps, 3);
    assert.equal(tf.memory().numTensors, before);
    model.dispose();
  });

  it('gives others the time that a step took, while they want it', async () => {
    let others = 0;
    let waits = true;
    function* slowSteps(): Generator<number, string, undefined> {
      for (let step = 0; step < 3; step++) {
        const end = performance.now() + 20;
        while (performance.now() < end);
        yield step;
      }
      waits = false;
      return 'done';
    }
    const other = (async () => {
      while (waits) {
        await new Promise((resume) => setImmediate(resume));
        others += 1;
      }
    })();
    assert.equal(await runCooperatively(slowSteps(), { ...FREE, othersWait: () => waits }), 'done');
    await other;
    assert.ok(others > 50, `the others ran ${others} times in 60 ms`);
  });
});
