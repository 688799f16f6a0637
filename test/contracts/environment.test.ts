import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertSafeBind,
  ENVIRONMENT_VARIABLES,
  isLoopback,
  parseEnvironment,
} from '../../src/contracts/environment.js';
import { parseS3Address } from '../../src/contracts/exchange-address.js';
import { AppError } from '../../src/errors.js';

const messageOf = (env: Record<string, string>): string => {
  try {
    parseEnvironment(env);
  } catch (error) {
    assert.ok(error instanceof AppError);
    return JSON.stringify(error.details.issues);
  }
  throw new assert.AssertionError({ message: 'the environment was accepted' });
};

test('an empty environment gives the documented defaults', () => {
  const environment = parseEnvironment({ PATH: '/bin', GATELM_PORT: ' ' });
  assert.equal(environment.host, '127.0.0.1');
  assert.equal(environment.port, 8080);
  assert.deepEqual(environment.apiKeys, []);
  assert.equal(environment.threads, null);
});

test('numbers and lists are read from text', () => {
  const environment = parseEnvironment({ GATELM_PORT: '0', GATELM_API_KEYS: 'first-key, second-key,' });
  assert.equal(environment.port, 0);
  assert.deepEqual(environment.apiKeys, ['first-key', 'second-key']);
});

test('a wrong value names its variable and what was expected', () => {
  const message = messageOf({ GATELM_PORT: '99999', GATELM_BACKEND: 'nativ', GATELM_THREADS: '0x10' });
  assert.match(message, /GATELM_PORT.*at most 65535/);
  assert.match(message, /GATELM_BACKEND.*did you mean \\"native\\"/);
  assert.match(message, /GATELM_THREADS.*expected a number/);
});

test('a misspelt name is refused with the one that was meant; variables of set-up are left alone', () => {
  assert.match(messageOf({ GATELM_DATADIR: 'x' }), /did you mean GATELM_DATA_DIR\?/);
  assert.doesNotThrow(() => parseEnvironment({ GATELM_CACHE_DIR: 'x', GATELM_PYTHON_WHEEL: 'y' }));
});

test('an API key that is too short is refused without being repeated', () => {
  assert.doesNotMatch(messageOf({ GATELM_API_KEYS: 'hunter2' }), /hunter2/);
});

test('every variable has a name, a meaning and a default', () => {
  for (const { name, description } of ENVIRONMENT_VARIABLES) {
    assert.match(name, /^GATELM_[A-Z_]+$/);
    assert.ok(description.length > 10, name);
  }
});

test('an exchange is a folder or a bucket; its credentials come from elsewhere and are not repeated', () => {
  for (const text of [
    '/mnt/gatelm',
    './exchange',
    's3://bucket',
    's3://my-bucket/a/b?endpoint=http://127.0.0.1:9000',
  ])
    assert.equal(parseEnvironment({ GATELM_EXCHANGE: text }).exchange, text);
  assert.deepEqual(parseS3Address('s3://bucket/a/b/?endpoint=http%3A%2F%2Fh%3A1&region=eu'), {
    bucket: 'bucket',
    prefix: 'a/b',
    endpoint: 'http://h:1',
    region: 'eu',
  });
  assert.equal(parseS3Address('/mnt/gatelm'), null);
  for (const [text, what] of [
    ['http://h/bucket', /s3:\/\//],
    ['s3://hunter2:hunter2@bucket/a', /AWS_ACCESS_KEY_ID/],
    ['s3://bucket/a?endpoint=h:1', /http:\/\//],
    ['s3://bucket/a?endpoint=http://hunter2:x@h', /endpoint/],
    ['s3://bucket/../a b', /prefix/],
    ['s3://bucket/a?key=hunter2', /endpoint, region/],
  ] as const) {
    const message = messageOf({ GATELM_EXCHANGE: text });
    assert.match(message, /GATELM_EXCHANGE/);
    assert.match(message, what);
    assert.doesNotMatch(message, /hunter2/);
  }
});

test('a bind to anything but loopback needs keys', () => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example'])
    assert.ok(!isLoopback(host), host);
  const open = parseEnvironment({ GATELM_HOST: '0.0.0.0' });
  assert.throws(() => assertSafeBind(open, false), { code: 'unsafe-bind' });
  assert.doesNotThrow(() => assertSafeBind(open, true));
});

test('origins are read as people write them, and what is none is refused', () => {
  const { allowedOrigins } = parseEnvironment({
    GATELM_ALLOWED_ORIGINS: 'https://Example.org/, http://localhost:3000, https://a.example:443, *',
  });
  assert.deepEqual(allowedOrigins, [
    'https://example.org',
    'http://localhost:3000',
    'https://a.example',
    '*',
  ]);
  for (const wrong of [
    'example.org',
    'https://example.org/app',
    'null',
    'file:///x',
    'https://u:p@example.org',
  ])
    assert.match(messageOf({ GATELM_ALLOWED_ORIGINS: wrong }), /GATELM_ALLOWED_ORIGINS.*must be an origin/);
});
