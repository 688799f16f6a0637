/** A form made from the JSON schema of a request: what the server takes is what the form asks for. */

/** The part of JSON Schema 2020-12 that the interface uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

interface FieldBase {
  /** As in model.hiddenSizes; the server names wrong fields so. */
  readonly path: string;
  readonly name: string;
  readonly description: string;
  /** Takes null: off, or no limit. */
  readonly isNullable: boolean;
  readonly initial: unknown;
}

export type FormField = FieldBase &
  (
    | { readonly kind: 'number'; readonly isInteger: boolean; readonly min?: number; readonly max?: number }
    | { readonly kind: 'text' | 'boolean' }
    | { readonly kind: 'enum'; readonly options: readonly string[] }
    | { readonly kind: 'list'; readonly ofNumbers: boolean }
    | { readonly kind: 'group'; readonly fields: readonly FormField[] }
    | { readonly kind: 'variants'; readonly variants: readonly Variant[] }
  );

/** One of several forms of an object, told apart by its `type`. */
export interface Variant {
  readonly type: string;
  readonly fields: readonly FormField[];
}

type Definitions = Readonly<Record<string, JsonSchema>>;

/** The fields of an object, in the order of its schema. */
export function fieldsOf(schema: JsonSchema, definitions: Definitions, prefix = ''): FormField[] {
  const { properties = {} } = resolve(schema, definitions);
  return Object.entries(properties)
    .filter(([, property]) => property.const === undefined)
    .flatMap(([name, property]) => {
      const path = prefix === '' ? name : `${prefix}.${name}`;
      return fieldOf(property, definitions, path, name) ?? [];
    });
}

function fieldOf(
  given: JsonSchema,
  definitions: Definitions,
  path: string,
  name: string,
): FormField | undefined {
  const { schema, isNullable } = withoutNull(resolve(given, definitions), definitions);
  const base: FieldBase = {
    path,
    name,
    description: given.description ?? schema.description ?? '',
    isNullable,
    initial: given.default ?? schema.default,
  };
  const options = schema.enum?.filter((option) => typeof option === 'string');
  if (options && options.length > 0) return { ...base, kind: 'enum', options };
  const variants = variantsOf(schema, definitions, path);
  if (variants) return { ...base, kind: 'variants', variants };
  switch (schema.type) {
    case 'integer':
    case 'number':
      return { ...base, kind: 'number', isInteger: schema.type === 'integer', ...limitsOf(schema) };
    case 'boolean':
      return { ...base, kind: 'boolean' };
    case 'string':
      return { ...base, kind: 'text' };
    case 'array': {
      const { type } = resolve(schema.items ?? {}, definitions);
      return { ...base, kind: 'list', ofNumbers: type === 'integer' || type === 'number' };
    }
    case 'object':
      return { ...base, kind: 'group', fields: fieldsOf(schema, definitions, path) };
    default:
      return undefined; // what the form does not know, it leaves to the server’s default
  }
}

function variantsOf(schema: JsonSchema, definitions: Definitions, path: string): Variant[] | undefined {
  const forms = schema.oneOf ?? schema.anyOf;
  if (!forms) return undefined;
  const variants = forms.map((given): Variant | undefined => {
    const form = resolve(given, definitions);
    const type = form.properties?.type;
    const tag = type?.const ?? type?.enum?.[0];
    return typeof tag === 'string' ? { type: tag, fields: fieldsOf(form, definitions, path) } : undefined;
  });
  return variants.every((variant) => variant !== undefined) ? variants : undefined;
}

function withoutNull(schema: JsonSchema, definitions: Definitions) {
  const forms = schema.anyOf ?? schema.oneOf;
  const others = forms?.filter(({ type }) => type !== 'null');
  if (!forms || !others || others.length === forms.length) return { schema, isNullable: false };
  const [only] = others;
  const inner = others.length === 1 ? resolve(only!, definitions) : { anyOf: others };
  return { schema: inner, isNullable: true };
}

function limitsOf(schema: JsonSchema): { min?: number; max?: number } {
  const min = schema.minimum ?? schema.exclusiveMinimum;
  const max = schema.maximum ?? schema.exclusiveMaximum;
  const isWhole = (value: number | undefined) =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  return { ...(isWhole(min) && { min: min! }), ...(isWhole(max) && { max: max! }) };
}

function resolve(schema: JsonSchema, definitions: Definitions): JsonSchema {
  const { $ref, allOf, ...rest } = schema;
  const name = $ref?.split('/').at(-1);
  const referred = name === undefined ? undefined : definitions[name];
  if (referred) return { ...resolve(referred, definitions), ...rest };
  return allOf?.length === 1 ? { ...resolve(allOf[0]!, definitions), ...rest } : schema;
}
