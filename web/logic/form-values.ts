/** What is filled in: only what was changed is kept, and only that is sent. */
import type { FormField } from './form-schema.js';

/** What was changed, by path, as it was typed. */
export type Draft = Readonly<Record<string, string | boolean>>;

/** The value at a path of a nested object. */
export function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** What a field shows: what was typed, else what the preset or the parent says, else the schema’s default. */
export function shownValue(field: FormField, draft: Draft, base: object): string | boolean {
  const typed = draft[field.path];
  if (typed !== undefined) return typed;
  const based = valueAt(base, field.path);
  const value = based === undefined ? field.initial : based;
  if (field.kind === 'boolean') return value === true;
  if (value === null || value === undefined) return '';
  return Array.isArray(value) ? value.join(', ') : String(value);
}

/** The chosen form of an object that has several. */
export function chosenVariant(field: FormField & { kind: 'variants' }, draft: Draft, base: object) {
  const typed =
    draft[`${field.path}.type`] ?? valueAt(base, `${field.path}.type`) ?? valueAt(field.initial, 'type');
  return field.variants.find(({ type }) => type === typed) ?? field.variants[0]!;
}

/** Where a form was changed to another than the base has, the base’s values mean nothing. */
export function baseOfVariant(field: FormField & { kind: 'variants' }, type: string, base: object): object {
  return valueAt(base, `${field.path}.type`) === type ? base : {};
}

/** Whether an object that may be null is there. */
export function isGroupOn(field: FormField, draft: Draft, base: object): boolean {
  const typed = draft[field.path];
  if (typeof typed === 'boolean') return typed;
  const based = valueAt(base, field.path);
  return (based === undefined ? field.initial : based) != null;
}

/** The body to send: what was changed, nested, as the types that the fields have. What is no number stays text: the server says so. */
export function bodyOf(fields: readonly FormField[], draft: Draft, base: object): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const field of fields) {
    const value = sentValue(field, draft, base);
    if (value !== undefined) body[field.name] = value;
  }
  return body;
}

function sentValue(field: FormField, draft: Draft, base: object): unknown {
  if (field.kind === 'group') {
    if (field.isNullable && !isGroupOn(field, draft, base))
      return draft[field.path] === false ? null : undefined;
    const inner = bodyOf(field.fields, draft, base);
    return Object.keys(inner).length > 0 || draft[field.path] === true ? inner : undefined;
  }
  if (field.kind === 'variants') {
    const variant = chosenVariant(field, draft, base);
    const inner = bodyOf(variant.fields, draft, base);
    const isOther = valueAt(base, `${field.path}.type`) !== variant.type;
    if (Object.keys(inner).length === 0 && (!isOther || draft[`${field.path}.type`] === undefined))
      return undefined;
    return { type: variant.type, ...inner };
  }
  const typed = draft[field.path];
  return typed === undefined ? undefined : parseValue(field, typed);
}

function parseValue(field: FormField, typed: string | boolean): unknown {
  if (typeof typed === 'boolean') return typed;
  const text = typed.trim();
  if (text === '' && field.isNullable) return null;
  if (field.kind === 'number') return numberOrText(text);
  if (field.kind !== 'list') return typed;
  const parts = text.split(/[,\s]+/).filter(Boolean);
  return field.ofNumbers
    ? parts.map(numberOrText)
    : text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean);
}

function numberOrText(text: string): number | string {
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Another object laid over one: objects are merged, everything else is replaced. An object of another type is replaced. */
export function mergeConfig(base: object, over: object): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    const areObjects = isObject(present) && isObject(value);
    const isSameType = areObjects && (value.type === undefined || value.type === present.type);
    merged[key] = isSameType ? mergeConfig(present, value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Errors by the path of the field that shows them: hiddenSizes.0 is at hiddenSizes. */
export function errorsByField(
  issues: readonly { readonly path: string; readonly message: string }[],
  paths: ReadonlySet<string>,
): { readonly byPath: ReadonlyMap<string, string>; readonly others: readonly string[] } {
  const byPath = new Map<string, string>();
  const others: string[] = [];
  for (const { path, message } of issues) {
    let place = path;
    while (place !== '' && !paths.has(place)) place = place.slice(0, Math.max(0, place.lastIndexOf('.')));
    if (place === '') others.push(path === '' ? message : `${path}: ${message}`);
    else byPath.set(place, message);
  }
  return { byPath, others };
}

/** Paths of all fields, those of all variants among them. */
export function pathsOf(fields: readonly FormField[]): Set<string> {
  const paths = new Set<string>();
  for (const field of fields) {
    paths.add(field.path);
    if (field.kind === 'group') for (const path of pathsOf(field.fields)) paths.add(path);
    if (field.kind === 'variants') {
      paths.add(`${field.path}.type`);
      for (const { fields: inner } of field.variants) for (const path of pathsOf(inner)) paths.add(path);
    }
  }
  return paths;
}
