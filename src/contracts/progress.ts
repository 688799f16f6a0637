/** Queries and messages for following the events of an experiment. */
import { z } from 'zod';
import { commaList } from './comma-list.js';
import { EVENT_TYPES, StoredEvent } from './events.js';
import { exampleOf } from './example-of.js';
import { Experiment } from './experiment.js';

const since = z.int().min(0).default(0).describe('Number of the last event that the client already has');
const ticket = z
  .string()
  .max(100)
  .optional()
  .describe('A ticket of POST /tickets, for clients that cannot send an Authorization header');
export const ProgressQuery = z.strictObject({ since, ticket });

export const ListEventsQuery = z.strictObject({
  since,
  ticket,
  limit: z.int().min(1).max(10_000).default(1000).describe('Maximum number of events per page; JSON only'),
  types: commaList(z.enum(EVENT_TYPES)).optional().describe('Only events of these types; JSON only'),
});

export const EventPage = z
  .object({
    items: z.array(StoredEvent),
    nextSince: z.int().describe('The `since` of the next page: the number of the last event of this page'),
    hasMore: z.boolean(),
  })
  .meta({ id: 'EventPage', examples: [{ items: [exampleOf(StoredEvent)], nextSince: 54, hasMore: true }] });

/** The first message of a progress socket. */
export const ProgressSnapshot = z
  .object({
    type: z.literal('snapshot'),
    experiment: Experiment,
    seq: z.int().describe('Number of the latest event'),
  })
  .meta({
    id: 'ProgressSnapshot',
    examples: [{ type: 'snapshot', experiment: exampleOf(Experiment), seq: 214 }],
  });
