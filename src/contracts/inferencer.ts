/** Messages between the server and its inferencers, as JSON over a WebSocket that the inferencer opens. */
import { z } from 'zod';
import { BackendReport, TaskMessage, TaskRequest } from './jobs.js';
import { Machine } from './machine.js';

/** Maximum size of a message of an inferencer, in bytes. */
export const MAX_INFERENCER_MESSAGE_BYTES = 256 * 1024 * 1024;

/** The query of the address that an inferencer connects to. */
export const InferencerQuery = z.strictObject({
  version: z.string().max(100).describe('Version of gatelm; must be that of the server'),
});

/** The first message of an inferencer. */
export const InferencerHello = z.strictObject({
  type: z.literal('hello'),
  id: z.string().min(1).max(200),
  hostname: z.string().max(200),
  ...Machine.shape,
  slots: z.int().min(1).max(64).describe('Threads that run tasks, each with its own models'),
  backend: BackendReport,
});
export type InferencerHello = z.infer<typeof InferencerHello>;

export const InferencerMessage = z.discriminatedUnion('type', [
  InferencerHello,
  z.strictObject({
    type: z.literal('leaving').describe('It takes no more tasks and closes after its last one'),
  }),
  ...TaskMessage.options,
]);
export type InferencerMessage = z.infer<typeof InferencerMessage>;

export const InferencerRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('welcome'),
    silenceMs: z.int().min(1).describe('Time without any message after which a connection counts as lost'),
  }),
  ...TaskRequest.options,
]);
export type InferencerRequest = z.infer<typeof InferencerRequest>;

/** What the server knows of an inferencer. */
export interface InferencerReport extends Pick<InferencerHello, 'id' | 'hostname' | 'slots'> {
  /** Tasks that it has. */
  readonly active: number;
}
