import { z } from 'zod';

const UNIT_SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** A time budget for training, as people write it; see {@link secondsOf}. */
export const Budget = z
  .union([
    z.number().min(1).max(31_536_000),
    z.string().regex(/^[1-9]\d{0,6}(\.\d{1,3})?[smh]$/, 'must be a number with s, m or h, such as "2m"'),
  ])
  .describe('Time that the training may take: "30s", "2m", "1h" or a number of seconds')
  .meta({ examples: ['2m'] });
export type Budget = z.infer<typeof Budget>;

/** A budget in seconds. */
export function secondsOf(budget: Budget): number {
  if (typeof budget === 'number') return budget;
  return Number(budget.slice(0, -1)) * UNIT_SECONDS[budget.at(-1) as keyof typeof UNIT_SECONDS];
}
