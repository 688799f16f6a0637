import { z } from 'zod';

/**
 * The first example in the `.meta` of a schema.
 * @throws if it has none
 */
export function exampleOf<Schema extends z.ZodType>(schema: Schema): z.output<Schema> {
  const [example] = (schema.meta()?.examples ?? []) as z.output<Schema>[];
  if (example === undefined) throw new Error('this schema has no example');
  return example;
}

/** A string with an example, for responses that are not JSON. */
export function textLike(example: string): z.ZodString {
  return z.string().meta({ examples: [example] });
}
