/** Health of the server and its hosts. */
import { z } from 'zod';
import { exampleOf } from './example-of.js';
import { EXAMPLE_EXPERIMENT_ID } from './example-values.js';
import { BackendReport } from './jobs.js';

const hostHealth = z.object({
  backend: BackendReport.nullable().describe('The backend of its host; null until it has started'),
  processIds: z.array(z.int()),
});
export const Health = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    uptimeSeconds: z.number(),
    training: hostHealth.extend({
      slots: z.int(),
      active: z.array(z.string()).describe('Experiments that occupy a slot'),
    }),
    inference: hostHealth,
    inferencers: z
      .object({
        connected: z.int(),
        slots: z.int().describe('Threads of all of them'),
        active: z.int().describe('Tasks that they have'),
      })
      .describe('Machines that run inference tasks beside the server'),
  })
  .meta({
    id: 'Health',
    examples: [
      {
        status: 'ok',
        version: '0.1.0',
        uptimeSeconds: 86_400,
        training: {
          backend: exampleOf(BackendReport),
          processIds: [27_564],
          slots: 1,
          active: [EXAMPLE_EXPERIMENT_ID],
        },
        inference: { backend: exampleOf(BackendReport), processIds: [27_581] },
        inferencers: { connected: 2, slots: 4, active: 1 },
      },
    ],
  });
export type Health = z.infer<typeof Health>;
const host = z
  .enum(['ready', 'starting', 'idle'])
  .describe('idle: not started yet, or stopped; the next task starts it');
export const Readiness = z
  .object({
    status: z.literal('ready'),
    database: z.literal('ready'),
    training: host,
    inference: host,
  })
  .meta({
    id: 'Readiness',
    examples: [{ status: 'ready', database: 'ready', training: 'ready', inference: 'ready' }],
  });
export type Readiness = z.infer<typeof Readiness>;
