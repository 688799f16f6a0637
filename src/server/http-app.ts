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

/** A fastify instance whose routes are typed by zod schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The dependencies of plugins and routes. */
export interface AppContext extends Services {
  readonly streams: StreamRegistry;
  readonly tickets: Tickets;
  readonly keys: KeyRing;
  /** Folder of the built dashboard; undefined: the output folder of the build. */
  readonly dashboardFolder: string | undefined;
}

/** The dependencies of the use cases of trained models. */
export type ModelParts = 'store' | 'executor' | 'corpora' | 'environment';

/** The named parts of the context. */
export type Uses<Part extends keyof AppContext> = Pick<AppContext, Part>;
