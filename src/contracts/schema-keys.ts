/** Reads key names and defaults from zod schemas, so that they are defined only there. */
import { z } from 'zod';

/**
 * The keys that a schema knows at a path.
 * @param value the parsed value: its `type` selects the variant of a union; without one, all variants are included
 */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown): string[] {
  let schemas = variants(schema, value);
  let current = value;
  for (const part of path) {
    current = member(current, part);
    schemas = schemas.flatMap((outer) => inner(outer, part)).flatMap((found) => variants(found, current));
  }
  return [
    ...new Set(schemas.flatMap((found) => (found instanceof z.ZodObject ? Object.keys(found.shape) : []))),
  ];
}

/** A schema without its wrappers: default, prefault, optional, nullable, readonly, pipe. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = schema._zod;
  if ('innerType' in def) return unwrap(def.innerType as z.core.$ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.core.$ZodType);
  return schema;
}

/** The raw prefault values of the members of an object schema. */
export function prefaults(schema: z.ZodObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema.shape)
      .filter(([, field]) => field instanceof z.ZodPrefault)
      .map(([key, field]) => [key, (field as z.ZodPrefault)._zod.def.defaultValue]),
  );
}

function variants(schema: z.core.$ZodType, value: unknown): z.core.$ZodType[] {
  const plain = unwrap(schema);
  if (!(plain instanceof z.ZodUnion)) return [plain];
  const options = plain.options.map((option) => unwrap(option as z.core.$ZodType));
  const { discriminator } = plain._zod.def as { discriminator?: string };
  if (!discriminator) return options;
  const wanted = member(value, discriminator);
  const matching = options.filter(
    (option) =>
      option instanceof z.ZodObject && z.safeParse(option.shape[discriminator] as z.ZodType, wanted).success,
  );
  return matching.length > 0 ? matching : options;
}

function inner(schema: z.core.$ZodType, part: PropertyKey): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    return typeof part === 'string' && Object.hasOwn(schema.shape, part)
      ? [schema.shape[part] as z.core.$ZodType]
      : [];
  }
  if (schema instanceof z.ZodArray) return [schema.element as z.core.$ZodType];
  if (schema instanceof z.ZodRecord) return [schema.valueType as z.core.$ZodType];
  return [];
}

function member(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}
