import { z } from 'zod';

/**
 * The first example of a schema, as its `.meta` gives it.
 * @throws when it has none
 */
export function exampleOf<Schema extends z.ZodType>(schema: Schema): z.output<Schema> {
  const [example] = (schema.meta()?.examples ?? []) as z.output<Schema>[];
  if (example === undefined) throw new Error('this schema has no example');
  return example;
}

/** Text that looks like this, for answers that are no JSON. */
export function textLike(example: string): z.ZodString {
  return z.string().meta({ examples: [example] });
}
