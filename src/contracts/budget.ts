import { z } from 'zod';

const UNIT_SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** A time to train, as people write it: `"30s"`, `"2m"`, `"1.5h"`, or a number of seconds. Parsed to seconds. */
export const Budget = z
  .union([
    z.number().gt(0),
    z
      .string()
      .regex(/^\d{1,9}(\.\d{1,3})?[smh]$/, 'must be a number with s, m or h, such as "2m"')
      .transform(
        (text) => Number(text.slice(0, -1)) * UNIT_SECONDS[text.at(-1) as keyof typeof UNIT_SECONDS],
      ),
  ])
  .pipe(z.number().min(1).max(31_536_000))
  .describe('Time that the training may take: "30s", "2m", "1h" or a number of seconds')
  .meta({ examples: ['2m'] });
