import { z } from 'zod';
import { COMMA_SEPARATED } from '../contracts/comma-list.js';
import { unwrap } from '../contracts/schema-keys.js';

/** Converts a query or path parameters, which are all text, to the types of their schema. */
export function readQueryValues(schema: z.ZodType, values: unknown): unknown {
  if (!(schema instanceof z.ZodObject) || typeof values !== 'object' || values === null) return values;
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      const field = Object.hasOwn(schema.shape, key) ? (schema.shape[key] as z.ZodType) : undefined;
      return [key, field ? readValue(field, value) : value];
    }),
  );
}

function readValue(field: z.ZodType, value: unknown): unknown {
  const plain = unwrap(field);
  if (plain instanceof z.ZodArray) {
    const list = Array.isArray(value) ? value : [value];
    const hasCommas = plain.meta()?.[COMMA_SEPARATED] === true;
    const elements = hasCommas ? list.flatMap((element) => String(element).split(',')) : list;
    return elements.map((element) => readValue(plain.element as z.ZodType, element));
  }
  if (typeof value !== 'string') return value;
  if (plain instanceof z.ZodNumber) return readNumber(value);
  if (plain instanceof z.ZodBoolean) return value === 'true' ? true : value === 'false' ? false : value;
  return value;
}

/** Text that is not a number stays text, so that the schema can report it. */
function readNumber(text: string): number | string {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}
