import { z } from 'zod';

/** Marks a list that a query may also give as one comma-separated value. */
export const COMMA_SEPARATED = 'x-comma-separated';

/** A list that a query may also give as one comma-separated value. */
export const commaList = <Element extends z.ZodType>(element: Element) =>
  z
    .array(element)
    .max(64)
    .meta({ [COMMA_SEPARATED]: true });
