import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRESETS } from '../../src/contracts/presets.js';
import { resolveExperimentInput, wantsAuto } from '../../src/contracts/resolve-config.js';
import type { ValidationIssue } from '../../src/contracts/validation.js';
import { AppError } from '../../src/errors.js';

function issuesOf(body: unknown): ValidationIssue[] {
  try {
    resolveExperimentInput(body);
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'validation-failed');
    return error.details.issues as ValidationIssue[];
  }
  throw new assert.AssertionError({ message: 'the body was accepted' });
}

test('an empty body is an experiment with every default written out', () => {
  const input = resolveExperimentInput({});
  assert.equal(input.corpus, 'handbook');
  assert.equal(input.preset, null);
  assert.deepEqual(input.optimizer, { type: 'sgd', learningRate: 20, weightDecay: 0 });
  assert.equal(input.model.dropout.kind, 'standard');
});

test('a preset fills what the body leaves out, and the body wins', () => {
  const input = resolveExperimentInput({
    preset: 'better-rnnlm',
    corpus: 'ptb',
    training: { epochs: 3 },
    model: { dropout: { hidden: 0.1 } },
  });
  assert.equal(input.training.epochs, 3);
  assert.equal(input.training.maxGradNorm, 0.25);
  assert.deepEqual(input.model.hiddenSizes, [650, 650]);
  assert.equal(input.model.dropout.hidden, 0.1);
  assert.equal(input.model.dropout.output, 0.5);
  assert.equal(input.schedule.type, 'divide-on-plateau');
});

test('every preset is a valid experiment by itself', () => {
  for (const preset of Object.keys(PRESETS)) assert.equal(resolveExperimentInput({ preset }).preset, preset);
});

test('an object of another type replaces that of the preset instead of being mixed with it', () => {
  const input = resolveExperimentInput({ preset: 'awd-lstm', optimizer: { type: 'adam' } });
  assert.equal(input.optimizer.type, 'adam');
  assert.equal(input.optimizer.learningRate, 0.001);
});

test('the type may be left out where the default one is meant', () => {
  const input = resolveExperimentInput({
    tokenizer: { vocabularySize: 500 },
    optimizer: { learningRate: 1 },
  });
  assert.equal(input.tokenizer.type, 'word');
  assert.equal(input.optimizer.type, 'sgd');
});

test('an unknown key is named with the nearest known one', () => {
  const [issue, ...others] = issuesOf({ optimizer: { learningrate: 1 } });
  assert.deepEqual(others, []);
  assert.equal(issue?.path, 'optimizer.learningrate');
  assert.equal(issue?.message, 'unknown key "learningrate" in optimizer; did you mean "learningRate"?');
});

test('the nearest key is looked for in the variant that was chosen', () => {
  const [issue] = issuesOf({ schedule: { type: 'exponential', factr: 0.5 } });
  assert.match(issue!.message, /did you mean "factor"/);
  const [other] = issuesOf({ schedule: { type: 'constant', factr: 0.5 } });
  assert.doesNotMatch(other!.message, /did you mean/);
});

test('every wrong field is listed in one answer, with what was expected and what came', () => {
  const issues = issuesOf({
    preset: 'rnlm',
    corpus: 5,
    training: { epochs: 1e9, seed: 1.5, epoch: 4 },
    model: { hiddenSizes: ['a'], dropout: { knd: 1 } },
    schedule: { type: 'cosin' },
    tags: 'x',
  });
  const byPath = new Map(issues.map((issue) => [issue.path, issue]));
  assert.deepEqual(
    [...byPath.keys()].sort(),
    [
      'corpus',
      'model.dropout.knd',
      'model.hiddenSizes.0',
      'preset',
      'schedule.type',
      'tags',
      'training.epoch',
      'training.epochs',
      'training.seed',
    ].sort(),
  );
  assert.match(byPath.get('preset')!.message, /did you mean "rnnlm"/);
  assert.match(byPath.get('schedule.type')!.message, /did you mean "cosine"/);
  assert.equal(byPath.get('training.epochs')!.expected, 'at most 100000');
  assert.equal(byPath.get('training.epochs')!.received, '1000000000');
  assert.equal(byPath.get('corpus')!.message, 'expected a string, got 5');
  assert.equal(issuesOf({ corpus: {} })[0]!.message, 'expected a string, got an object');
  assert.match(byPath.get('training.epoch')!.message, /did you mean "epochs"/);
});

test('fields that do not fit each other are refused with both values', () => {
  const [issue] = issuesOf({ model: { tieWeights: true, embeddingSize: 10, hiddenSizes: [20] } });
  assert.equal(issue?.path, 'model.tieWeights');
  assert.match(issue!.message, /embeddingSize is 10, the last of hiddenSizes is 20/);
});

test('names of the prototype chain are unknown keys and change nothing', () => {
  const body = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"model":{"__proto__":{"polluted":1}}}',
  );
  const paths = issuesOf(body).map(({ path }) => path);
  assert.deepEqual(paths.sort(), ['__proto__', 'constructor', 'model.__proto__']);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('what is not an object, nests too deep or is too big is refused', () => {
  for (const body of [null, 1, 'x', [], true]) assert.equal(issuesOf(body).length, 1);
  let deep: unknown = {};
  for (let level = 0; level < 100_000; level++) deep = { a: deep };
  assert.match(issuesOf(deep)[0]!.message, /levels deep/);
  assert.match(issuesOf({ tags: new Array(100_000).fill('a') })[0]!.message, /more than/);
});

test('auto chooses where no recipe is named; a seed alone is none', () => {
  for (const body of [
    {},
    { corpus: 'notes', budget: '2m' },
    { training: { seed: 7 } },
    { preset: 'auto', model: {} },
  ])
    assert.ok(wantsAuto(body), JSON.stringify(body));
  for (const body of [{ preset: 'rnnlm' }, { training: { seed: 7, epochs: 2 } }, { precision: 'float32' }])
    assert.ok(!wantsAuto(body), JSON.stringify(body));
});
