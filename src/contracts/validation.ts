/** Parsing of input: all invalid fields in one error, unknown keys with the nearest known one. */
import { z } from 'zod';
import { type AppError, appError } from '../errors.js';
import { nearestName } from './nearest-name.js';
import { assertHarmless, isPlainObject } from './plain-data.js';
import { knownKeys } from './schema-keys.js';

/** One invalid field, as returned to a client. */
export const ValidationIssue = z.object({
  path: z.string().describe('Path of the field, as in model.hiddenSizes.0; empty = the whole value'),
  message: z.string(),
  expected: z.string().optional(),
  received: z.string().optional().describe('The received value, shortened'),
});
export type ValidationIssue = z.infer<typeof ValidationIssue>;

/** Maximum number of invalid fields in one error. */
const MAX_ISSUES = 100;

/**
 * The parsed value, with defaults filled in.
 * @param what names the value in the message, as in "The body"
 * @throws validation-failed, listing every invalid field in `details.issues`
 */
export function parseStrictly<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what = 'The request',
): z.output<Schema> {
  assertHarmless(value, what);
  const result = parseOrExplain(schema, value);
  if (result.issues) throw validationError(result.issues, what);
  return result.data;
}

/** The parsed value, or all invalid fields. */
export function parseOrExplain<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): { readonly data: z.output<Schema>; readonly issues?: never } | { readonly issues: ValidationIssue[] } {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { data: result.data };
  return { issues: describeIssues(schema, value, result.error.issues) };
}

/** The error that names these invalid fields. */
export function validationError(issues: readonly ValidationIssue[], what: string): AppError {
  const listed = issues.slice(0, MAX_ISSUES);
  const [first] = listed;
  const place = first?.path ? `${first.path}: ` : '';
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return appError('validation-failed', {
    summary: `${what} is not valid: ${place}${first?.message ?? 'unknown reason'}${more}`,
    issues: listed,
  });
}

function describeIssues(
  schema: z.ZodType,
  value: unknown,
  issues: readonly z.core.$ZodIssue[],
): ValidationIssue[] {
  return issues.flatMap((issue): ValidationIssue[] => {
    if (issue.code === 'unrecognized_keys') return describeUnknownKeys(schema, value, issue);
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const closest = issue.errors.toSorted((a, b) => a.length - b.length)[0]!;
      const nested = closest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
      return describeIssues(schema, value, nested as z.core.$ZodIssue[]);
    }
    if (issue.code === 'invalid_key')
      return issue.issues.map((inner) => describeIssue({ ...inner, path: issue.path }));
    return [describeIssue(issue)];
  });
}

function describeUnknownKeys(
  schema: z.ZodType,
  value: unknown,
  { keys, path }: z.core.$ZodIssueUnrecognizedKeys,
): ValidationIssue[] {
  const known = knownKeys(schema, path, value);
  return keys.map((key) => {
    const nearest = nearestName(key, known);
    const place = path.length > 0 ? ` in ${formatPath(path)}` : '';
    const hint = nearest ? `; did you mean "${nearest}"?` : '';
    return {
      path: formatPath([...path, key]),
      message: `unknown key "${shorten(key)}"${place}${hint}`,
      expected: oneOf(known),
    };
  });
}

function describeIssue(issue: z.core.$ZodIssue): ValidationIssue {
  const path = formatPath(issue.path);
  const input = offendingValue(issue);
  const received = describeValue(input);
  const expected = expectation(issue);
  if (expected === undefined) return { path, message: issue.message, received };
  const missing = input === undefined;
  const options = choices(issue);
  const nearest = options && typeof input === 'string' ? nearestName(input, options) : undefined;
  const hint = nearest ? `; did you mean "${nearest}"?` : '';
  return {
    path,
    message: missing ? `is missing; expected ${expected}` : `expected ${expected}, got ${received}${hint}`,
    expected,
    ...(missing ? {} : { received }),
  };
}

/** The value at the path of an issue; for the `type` of a union, zod gives the enclosing object. */
function offendingValue({ code, input, path }: z.core.$ZodIssue): unknown {
  const last = path.at(-1);
  if (code !== 'invalid_union' || typeof last !== 'string' || !isPlainObject(input)) return input;
  return Object.hasOwn(input, last) ? input[last] : undefined;
}

/** What was expected, in words; undefined if the schema has a message of its own. */
function expectation(issue: z.core.$ZodIssue): string | undefined {
  const options = choices(issue);
  if (options) return oneOf(options);
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'an integer' : withArticle(issue.expected);
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit(issue.origin)}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unit(issue.origin)}`;
    default:
      return undefined;
  }
}

function choices(issue: z.core.$ZodIssue): string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options))
    return issue.options.map(String);
  return undefined;
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' elements' : '';
}

function withArticle(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

function oneOf(names: readonly string[]): string {
  return names.length === 1 ? `"${names[0]}"` : `one of ${names.map((name) => `"${name}"`).join(', ')}`;
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.map((part) => shorten(String(part))).join('.');
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
