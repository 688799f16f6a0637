/** Requests from the OpenAPI document: some nearly right, some nonsense. */
import fc from 'fast-check';

type Schema = Readonly<Record<string, unknown>>;
interface DocumentedOperation {
  readonly parameters?: readonly { in: string; name: string }[];
  readonly requestBody?: { readonly content?: Record<string, { schema?: Schema }> };
}

/** A method of a path, and what the document says that it takes. */
export interface Operation {
  readonly path: string;
  readonly method: string;
  readonly queryNames: readonly string[];
  /** Of its JSON body, if it has one. */
  readonly schema: Schema | undefined;
}

export interface OddRequest {
  readonly operation: Operation;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly payload: string | undefined;
}

const BOUNDARY = 'x';
const MAX_DEPTH = 4;

export function operationsOf(document: unknown): Operation[] {
  const { paths } = document as { paths: Record<string, Record<string, DocumentedOperation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      path,
      method: method.toUpperCase(),
      queryNames: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      schema: requestBody?.content?.['application/json']?.schema,
    })),
  );
}

/** What proxies, browsers and other clients add, rightly or not. */
const oddHeaders = fc.constantFrom<Record<string, string>>(
  {},
  {},
  {},
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'zstd, br' },
  { 'x-forwarded-prefix': '//evil.example', 'x-forwarded-host': 'evil.example' },
  { origin: 'null' },
  { origin: 'https://evil.example' },
  { 'last-event-id': '99999' },
  { 'idempotency-key': 'é' },
  { range: 'bytes=0-0,5-' },
);
const brokenQueries = ['prompt=%ff', '%', 'a=%zz&b', 'name=%ed%a0%80', '&&==&', 'since=99999', 'since=-0'];
const ODD_WORDS = [
  ...[
    'e\u0301',
    '\ufeff',
    '👨‍👩‍👧',
    '\u202etxt',
    '\ud83d',
    'constructor',
    '__proto__',
    '%ff',
    'a\rb',
    '\u2028',
  ],
  ...['日本', 'a\r\nX: y', '\u200b', '"; filename="x', 'e\u0301'.repeat(60)],
  ...['..', '../x', '\u0000', 'null', '-1', '1e999', '9'.repeat(50), 'true', 'handbook', 'test'],
];
const oddText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...ODD_WORDS));
const oddValue = fc.oneof(
  oddText,
  fc.double(),
  fc.integer(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
);
const accept = fc.constantFrom('text/event-stream', 'text/csv', 'application/json', '*/*', ';;,=q');
const contentType = fc.constantFrom(
  ...['application/json', 'text/plain', 'multipart/form-data', `multipart/form-data; boundary=${BOUNDARY}`],
  ...['x/y', 'application/x-tar', 'text/plain; charset=iso-8859-1', 'application/json; charset=utf-16', ';'],
);

/** @param names ids and names that exist, for the parts of paths */
export function oddRequest(document: unknown, operations: readonly Operation[], names: readonly string[]) {
  const param = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...names) }, oddText);
  return fc.constantFrom(...operations).chain((operation) => {
    const queryName = fc.constantFrom(...operation.queryNames, 'unknown', '__proto__');
    const query = fc.array(fc.tuple(queryName, fc.oneof(oddText, fc.double().map(String))), { maxLength: 3 });
    return fc
      .record({
        param,
        query,
        accept,
        body: bodyOf(document, operation),
        added: oddHeaders,
        broken: fc.oneof({ weight: 9, arbitrary: fc.constant('') }, fc.constantFrom(...brokenQueries)),
        mark: fc.oneof({ weight: 9, arbitrary: fc.constant('') }, fc.constant('\ufeff')),
      })
      .map(({ body: { type, payload }, ...parts }): OddRequest => {
        const pairs = parts.query.map((pair) => pair.map(encode).join('='));
        const search = [...pairs, parts.broken].filter(Boolean).join('&');
        return {
          operation,
          url: `${operation.path.replace(/\{\w+\}/g, encode(parts.param))}?${search}`,
          headers: {
            ...parts.added,
            accept: parts.accept,
            ...(payload !== undefined && { 'content-type': type }),
          },
          payload: payload === undefined ? payload : parts.mark + payload,
        };
      });
  });
}

/** A lone surrogate is no text that an address can have. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

function bodyOf(document: unknown, { method, schema }: Operation) {
  if (method !== 'POST' && method !== 'PATCH')
    return fc.constant({ type: '', payload: undefined as string | undefined });
  const json = (schema ? fromSchema(document, schema, 0) : oddValue).map((value) => ({
    type: 'application/json',
    payload: JSON.stringify(value),
  }));
  const form = multipart.map((payload) => ({ type: `multipart/form-data; boundary=${BOUNDARY}`, payload }));
  const nonsense = fc.record({
    type: contentType,
    payload: fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
    ),
  });
  return fc.oneof({ weight: 3, arbitrary: json }, { weight: 1, arbitrary: form }, nonsense);
}

const fieldName = fc.oneof(
  fc.constantFrom(
    'name',
    'file',
    'train',
    'valid',
    'test',
    'validFraction',
    'config',
    'weights',
    '__proto__',
  ),
  fc.string(),
);
const part = fc.record({
  field: fieldName,
  isFile: fc.boolean(),
  text: fc.oneof(oddText, fc.lorem({ maxCount: 60 })),
});
const multipart = fc.tuple(fc.array(part, { maxLength: 6 }), fc.boolean()).map(([parts, isWhole]) => {
  const texts = parts.map(({ field, isFile, text }) => {
    const file = isFile ? `; filename="${field}"` : '';
    return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"${file}\r\n\r\n${text}\r\n`;
  });
  return texts.join('') + (isWhole ? `--${BOUNDARY}--\r\n` : '');
});

/** Values that mostly keep to a JSON schema. */
function fromSchema(document: unknown, schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (depth > MAX_DEPTH) return oddValue;
  const { $ref, anyOf, oneOf, allOf, type, properties, items, minimum, maximum } = schema as {
    $ref?: string;
    anyOf?: Schema[];
    oneOf?: Schema[];
    allOf?: Schema[];
    type?: string;
    properties?: Record<string, Schema>;
    items?: Schema;
    minimum?: number;
    maximum?: number;
  };
  const constants = 'const' in schema ? [schema.const] : (schema.enum as unknown[] | undefined);
  const right = (): fc.Arbitrary<unknown> => {
    if ($ref) return fromSchema(document, follow(document, $ref), depth + 1);
    const choices = anyOf ?? oneOf ?? allOf;
    if (choices?.length) return fc.oneof(...choices.map((choice) => fromSchema(document, choice, depth + 1)));
    if (constants?.length) return fc.constantFrom(...constants);
    switch (type) {
      case 'object': {
        const fields = Object.entries(properties ?? {}).map(
          ([name, field]) => [name, fromSchema(document, field, depth + 1)] as const,
        );
        return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
      }
      case 'array':
        return fc.array(items ? fromSchema(document, items, depth + 1) : oddValue, { maxLength: 4 });
      case 'integer':
        return fc.integer({ min: Math.max(minimum ?? -5, -1e6), max: Math.min(maximum ?? 1e6, 1e6) });
      case 'number':
        return fc.double({
          min: minimum ?? -10,
          max: Math.max(minimum ?? -10, maximum ?? 1000),
          noNaN: true,
        });
      case 'boolean':
        return fc.boolean();
      case 'string':
        return fc.oneof(fc.lorem({ maxCount: 2 }), oddText);
      default:
        return oddValue;
    }
  };
  return fc.oneof({ weight: 19, arbitrary: right() }, oddValue);
}

function follow(document: unknown, ref: string): Schema {
  let found = document as Record<string, unknown>;
  for (const name of ref.replace(/^#\//, '').split('/')) found = found[name] as Record<string, unknown>;
  return found;
}
