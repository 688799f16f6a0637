import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { KeyRing } from '../experiments/api-keys.js';
import type { Services } from '../experiments/services.js';
import type { StreamRegistry } from './streams/stream-registry.js';
import type { Tickets } from './tickets.js';

/** A fastify instance whose routes take their types from zod schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** All that plugins and routes work with. */
export interface AppContext extends Services {
  readonly streams: StreamRegistry;
  readonly tickets: Tickets;
  readonly keys: KeyRing;
  /** Where the built dashboard is; undefined: where the build puts it. */
  readonly dashboardFolder: string | undefined;
}

/** What the use cases of trained models work with. */
export type ModelParts = 'store' | 'executor' | 'corpora' | 'environment';

/** What one of them is handed: the parts that it names. */
export type Uses<Part extends keyof AppContext> = Pick<AppContext, Part>;
