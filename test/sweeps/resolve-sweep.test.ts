import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ValidationIssue } from '../../src/contracts/validation.js';
import { AppError } from '../../src/errors.js';
import { resolveSweepInput } from '../../src/sweeps/resolve-sweep.js';
import { trialExperiment } from '../../src/sweeps/trial-config.js';

const RATE = { type: 'log-uniform', low: 0.1, high: 40 };

function issuesOf(body: unknown): Record<string, string> {
  try {
    resolveSweepInput(body);
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'validation-failed');
    const issues = error.details.issues as ValidationIssue[];
    return Object.fromEntries(issues.map(({ path, message }) => [path, message]));
  }
  throw new assert.AssertionError({ message: 'the body was accepted' });
}

test('a sweep needs no more than a space', () => {
  const sweep = resolveSweepInput({ space: { 'optimizer.learningRate': RATE } });
  assert.equal(sweep.strategy.type, 'tpe');
  assert.equal(sweep.limits.experiments, 30);
  assert.equal(sweep.corpus, 'handbook');
});

test('a wrong path is refused with the nearest one', () => {
  const wrong = {
    'optimizer.learningRat': RATE,
    learningRate: RATE,
    'model.droput.output': { type: 'uniform', low: 0, high: 0.5 },
    'model.hidden_sizes': { type: 'choice', values: [[10]] },
    somethingElseAltogether: RATE,
  };
  const issues = issuesOf({ space: wrong });
  assert.equal(
    issues['space.optimizer.learningRat'],
    'there is no setting "optimizer.learningRat"; did you mean "optimizer.learningRate"?',
  );
  assert.match(issues['space.learningRate']!, /did you mean "optimizer.learningRate"/);
  assert.match(issues['space.model.droput.output']!, /did you mean "model.dropout.output"/);
  assert.match(issues['space.model.hidden_sizes']!, /did you mean "model.hiddenSizes"/);
  assert.equal(issues['space.somethingElseAltogether'], 'there is no setting "somethingElseAltogether"');
});

test('values that the config refuses are refused before anything trains, with what was expected', () => {
  const issues = issuesOf({
    base: { optimizer: { type: 'adam' } },
    space: {
      'optimizer.learningRate': { type: 'uniform', low: 0, high: 1 },
      'optimizer.beta1': { type: 'uniform', low: 0.5, high: 1.5 },
      'model.initialization': { type: 'choice', values: ['book', 'unifrom'] },
      'training.bpttLength': { type: 'integer', low: 0, high: 10 },
      'model.hiddenSizes': { type: 'choice', values: [[10], 20] },
    },
  });
  assert.match(issues['space.optimizer.learningRate']!, /more than 0/);
  assert.match(issues['space.optimizer.beta1']!, /less than 1/);
  assert.match(issues['space.model.initialization']!, /did you mean "uniform"/);
  assert.match(issues['space.training.bpttLength']!, /at least 1.*at 0/);
  assert.match(issues['space.model.hiddenSizes']!, /an array.*at 20/);
});

test('a setting of another optimizer needs a condition', () => {
  const types = { type: 'choice', values: ['sgd', 'adam'] };
  const beta = { type: 'uniform', low: 0.5, high: 0.99 };
  const issues = issuesOf({ space: { 'optimizer.type': types, 'optimizer.beta1': beta } });
  assert.match(issues['space.optimizer.beta1']!, /unknown key "beta1".*use "when" to say where it applies/);
  const when = { 'optimizer.type': ['adam'] };
  resolveSweepInput({ space: { 'optimizer.type': types, 'optimizer.beta1': { ...beta, when } } });
});

test('settings that do not go together are refused with the point', () => {
  const issues = issuesOf({
    base: { model: { tieWeights: true } },
    space: {
      'model.embeddingSize': { type: 'choice', values: [10, 100] },
      'training.bpttLength': { type: 'integer', low: 5, high: 50 },
    },
  });
  assert.match(Object.values(issues).join(), /tied weights need embeddingSize.*10/);
  resolveSweepInput({
    base: { model: { tieWeights: true } },
    space: {
      model: {
        type: 'choice',
        values: [
          { embeddingSize: 10, hiddenSizes: [10] },
          { embeddingSize: 20, hiddenSizes: [30, 20] },
        ],
      },
    },
  });
});

test('a condition names a choice of the space and its values', () => {
  const types = { type: 'choice', values: ['sgd', 'adam'] };
  const beta = (when: unknown) => ({ type: 'uniform', low: 0.5, high: 0.99, when });
  const issues = (when: unknown) =>
    Object.values(issuesOf({ space: { 'optimizer.type': types, 'optimizer.beta1': beta(when) } })).join();
  assert.match(
    issues({ 'optimizer.typ': ['adam'] }),
    /not a choice of this space; did you mean "optimizer.type"/,
  );
  assert.match(issues({ 'optimizer.type': ['adamw'] }), /"adamw" is not a value of "optimizer.type"/);
  const circle = (other: string) => ({ type: 'choice', values: [1], when: { [other]: [1] } });
  const space = { 'training.epochs': circle('training.seed'), 'training.seed': circle('training.epochs') };
  assert.match(Object.values(issuesOf({ space })).join(), /depends on itself/);
});

test('what cannot be compared is refused', () => {
  const vocabulary = { 'tokenizer.vocabularySize': { type: 'integer', low: 100, high: 1000 } };
  assert.match(Object.values(issuesOf({ space: vocabulary })).join(), /bitsPerByte/);
  resolveSweepInput({ space: vocabulary, objective: 'bitsPerByte' });
  const epochs = { 'training.epochs': { type: 'integer', low: 1, high: 9 } };
  assert.match(
    Object.values(issuesOf({ space: epochs, stopping: { type: 'asha' } })).join(),
    /same number of epochs/,
  );
  const presets = { preset: { type: 'choice', values: ['rnnlm', 'better-rnnlm'] } };
  assert.match(issuesOf({ space: presets, stopping: { type: 'asha' } }).space!, /4 or 40 epochs/);
  resolveSweepInput({ space: presets });
  const corpora = { corpus: { type: 'choice', values: ['ptb', 'handbook'] } };
  assert.match(Object.values(issuesOf({ space: corpora })).join(), /different corpora/);
});

test('wrong keys, an empty space, a range upside down and a wrong base are refused', () => {
  assert.match(Object.values(issuesOf({ space: {} })).join(), /at least one setting/);
  assert.match(Object.values(issuesOf({ spaces: {} })).join(), /did you mean "space"/);
  const space = { 'optimizer.learningRate': { type: 'uniform', low: 2, high: 1 } };
  assert.match(Object.values(issuesOf({ space })).join(), /must not be less than low/);
  const base = issuesOf({ space: { 'optimizer.learningRate': RATE }, base: { model: { hiddenSize: 4 } } });
  assert.match(base['base.model.hiddenSize']!, /did you mean "hiddenSizes"/);
  const named = issuesOf({ space: { 'optimizer.learningRate': RATE }, base: { preset: 'rnnlm' } });
  assert.match(named['base.preset']!, /belongs beside base/);
  const grid = { 'training.bpttLength': { type: 'integer', low: 1, high: 4000 } };
  assert.match(Object.values(issuesOf({ space: grid, strategy: { type: 'grid' } })).join(), /at most 1000/);
});

test('a trial is the base with its point laid on, and repetitions differ in the seed alone', () => {
  const sweep = resolveSweepInput({
    preset: 'better-rnnlm',
    corpus: 'ptb',
    base: { training: { epochs: 3, seed: 7 }, priority: 5 },
    space: {
      'optimizer.type': { type: 'choice', values: ['sgd', 'adam'] },
      'optimizer.learningRate': { type: 'log-uniform', low: 0.001, high: 10 },
      'model.dropout.output': { type: 'uniform', low: 0, high: 0.8 },
    },
  });
  const point = { 'optimizer.type': 'adam', 'optimizer.learningRate': 0.002, 'model.dropout.output': 0.1 };
  const trial = trialExperiment(sweep, point);
  assert.equal(trial.optimizer.type, 'adam');
  assert.equal(trial.optimizer.learningRate, 0.002);
  assert.deepEqual(trial.model.hiddenSizes, [650, 650]);
  assert.deepEqual([trial.model.dropout.output, trial.model.dropout.hidden], [0.1, 0.5]);
  assert.deepEqual([trial.training.epochs, trial.training.seed, trial.priority], [3, 7, 5]);
  const second = trialExperiment(sweep, point, 1);
  assert.deepEqual(second, { ...trial, training: { ...trial.training, seed: 8 } });
});
