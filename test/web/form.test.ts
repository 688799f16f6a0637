/** The form of a new experiment, made from the schema that the server describes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FormField, fieldsOf, type JsonSchema } from '../../web/logic/form-schema.js';
import { bodyOf, errorsByField, mergeConfig, pathsOf, shownValue } from '../../web/logic/form-values.js';
import { startService } from '../support/service.js';

async function formOf(t: Parameters<typeof startService>[0]) {
  const { app } = await startService(t);
  const document = (await app.inject('/openapi.json')).json();
  const { schema } = document.paths['/experiments'].post.requestBody.content['application/json'];
  const presets = (await app.inject('/presets')).json().items;
  const fields = fieldsOf(schema as JsonSchema, document.components.schemas).filter(
    ({ path }) => path !== 'preset',
  );
  return { app, fields, presets };
}

test('every leaf of a resolved config has a field, and the form shows what the preset says', async (t) => {
  const { fields, presets } = await formOf(t);
  const paths = pathsOf(fields);
  for (const { config } of presets)
    for (const path of leavesOf({ ...config, preset: undefined })) assert.ok(paths.has(path), path);
  const flat = fields.flatMap(function inner(field): FormField[] {
    return field.kind === 'group' ? [field, ...field.fields.flatMap(inner)] : [field];
  });
  const field = (path: string) => flat.find((one) => one.path === path)!;
  const better = presets.find(({ name }: { name: string }) => name === 'better-rnnlm').config;
  assert.equal(shownValue(field('model.hiddenSizes'), {}, better), '650, 650');
  assert.equal(shownValue(field('model.hiddenSizes'), { 'model.hiddenSizes': '7' }, better), '7');
  assert.equal(shownValue(field('training.epochs'), {}, {}), '4');
  assert.equal(field('training.maxDuration').isNullable, true);
});

test('only what was changed is sent, as the server takes it', async (t) => {
  const { app, fields, presets } = await formOf(t);
  const base = presets.find(({ name }: { name: string }) => name === 'rnnlm').config;
  const draft = {
    name: 'mine',
    tags: 'a, b c',
    'model.hiddenSizes': '32, 16',
    'optimizer.type': 'adam',
    'optimizer.learningRate': '0.002',
    'training.epochs': '2',
    'training.maxGradNorm': '',
    'training.earlyStopping': true,
    'training.earlyStopping.patience': '3',
  };
  const body = bodyOf(fields, draft, base);
  assert.deepEqual(body, {
    name: 'mine',
    tags: ['a', 'b c'],
    model: { hiddenSizes: [32, 16] },
    optimizer: { type: 'adam', learningRate: 0.002 },
    training: { epochs: 2, maxGradNorm: null, earlyStopping: { patience: 3 } },
  });
  const answer = await app.inject({
    method: 'POST',
    url: '/experiments',
    payload: { preset: 'rnnlm', ...body },
  });
  assert.equal(answer.statusCode, 201, answer.body);
  assert.deepEqual(answer.json().config.optimizer.type, 'adam');
  assert.deepEqual(bodyOf(fields, {}, base), {});
});

test('what the server finds wrong stands at its field', async (t) => {
  const { app, fields } = await formOf(t);
  const draft = { 'model.hiddenSizes': '32, many', 'training.epochs': '0' };
  const answer = await app.inject({
    method: 'POST',
    url: '/experiments',
    payload: bodyOf(fields, draft, {}),
  });
  assert.equal(answer.statusCode, 400);
  const { byPath, others } = errorsByField(answer.json().errors, pathsOf(fields));
  assert.deepEqual([...byPath.keys()].sort(), ['model.hiddenSizes', 'training.epochs']);
  assert.match(byPath.get('model.hiddenSizes')!, /many/);
  assert.deepEqual(others, []);
});

test('changes are laid over a parent; another type replaces the whole', () => {
  const parent = { optimizer: { type: 'sgd', learningRate: 20 }, training: { epochs: 4, seed: 1 } };
  assert.deepEqual(mergeConfig(parent, { optimizer: { type: 'adam' }, training: { epochs: 9 } }), {
    optimizer: { type: 'adam' },
    training: { epochs: 9, seed: 1 },
  });
});

function leavesOf(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    if (inner === undefined) return [];
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const isNested = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    return isNested ? leavesOf(inner, path) : [path];
  });
}
