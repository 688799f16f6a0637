import { z } from 'zod';
import { EXAMPLE_EXPERIMENT_ID, EXAMPLE_TIME } from './example-values.js';
import { Perplexity as perplexity } from './figures.js';
import { Provenance } from './provenance.js';
import { QualityFigures } from './sample-quality.js';
import { SerializedError } from './serialized-error.js';

/** Null where it was not measured. Events of earlier versions do not have it. */
const bitsPerByte = z
  .number()
  .nullable()
  .default(null)
  .describe(
    'Comparable between tokenizers: the words behind <unk> are charged for as if the model spelled them',
  );
const count = z.int().min(0);

/** The events of a training. Stored before they are sent; `seq` has no gaps within an experiment. */
export const EventData = {
  queued: z
    .strictObject({ position: count.describe('Number of experiments ahead of it in the queue') })
    .describe('The experiment was queued, or returned to the queue'),
  preparing: z
    .strictObject({ attempt: z.int().min(1) })
    .describe('A slot is free: the host loads the corpus and builds the model'),
  started: z
    .strictObject({
      attempt: z.int().min(1),
      backend: z.string().describe('TensorFlow backend: native or wasm'),
      kernels: z.string().describe('fused or composed'),
      threads: z.int().min(1).describe('Threads of one kernel'),
      parameterCount: count,
      vocabularySize: count,
      trainTokens: count,
      validTokens: count,
      provenance: Provenance.optional().describe('Events of earlier versions do not have it'),
      unknownRate: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          'Fraction of the tokens of valid that are <unk>; events of earlier versions do not have it',
        ),
      stepsPerEpoch: count.describe('Steps of one epoch; an estimate when the length varies'),
      resumedFrom: z
        .strictObject({ epoch: count, step: count })
        .nullable()
        .describe('The checkpoint that it resumes from'),
    })
    .describe('The model is ready and the first step follows'),
  step: z
    .strictObject({
      step: count.describe('Updates so far, over all epochs'),
      epoch: z.number().describe('Epochs so far, including the fraction of the current one'),
      loss: z
        .number()
        .nullable()
        .describe('Mean loss of the steps since the previous step event, in nats per token'),
      trainPerplexity: perplexity,
      learningRate: z.number(),
      gradNorm: z.number().nullable().describe('Joint L2 norm of the gradients before clipping'),
      tokensPerSecond: z.number(),
      remainingSeconds: z.number().nullable(),
    })
    .describe('Sent every training.metricsEvery steps; if that is null, at most twice a second'),
  epoch: z
    .strictObject({
      epoch: z.int().min(1),
      step: count,
      trainLoss: z.number().nullable().describe('In nats per token'),
      trainPerplexity: perplexity,
      validLoss: z.number().nullable().describe('In nats per token'),
      validPerplexity: perplexity,
      validBitsPerByte: bitsPerByte,
      learningRate: z.number().describe('At the end of the epoch'),
      tokensPerSecond: z.number().describe('Training only, without evaluation'),
      gradNorm: z.number().nullable().describe('Mean over the epoch, before clipping'),
      seconds: z.number().describe('Training and evaluation of this epoch'),
      remainingSeconds: z.number().nullable(),
      isBest: z.boolean().describe('Whether the validation perplexity is the lowest so far'),
    })
    .describe('An epoch is complete and the validation split was evaluated'),
  sample: z
    .strictObject({
      epoch: count,
      text: z.string(),
      quality: QualityFigures.optional().describe(
        'How varied it is; events of earlier versions do not have it',
      ),
    })
    .describe('Text that the model generated after an epoch'),
  warning: z
    .strictObject({
      epoch: count,
      kind: z.enum(['no-improvement', 'no-learning', 'diverging', 'unknown-words', 'other-kernels']),
      message: z.string().describe('Human-readable description'),
      advice: z.string().describe('What to change'),
    })
    .describe('The training continues, but is not going well, or not to the same bits as before'),
  checkpoint: z
    .strictObject({
      epoch: count,
      step: count,
      file: z.string().describe('Relative to the experiment’s folder'),
      bytes: count,
      digest: z.string().describe('SHA-256 of the weights, hexadecimal'),
      isBest: z.boolean(),
    })
    .describe('A checkpoint was written and flushed to disk'),
  rollback: z
    .strictObject({
      step: count.describe('The step whose loss or gradient was not finite'),
      epoch: z.int().min(1).describe('The epoch of that step'),
      reason: z.string().describe('The quantity that was not finite'),
      restored: z
        .strictObject({ epoch: count, step: count })
        .describe('The checkpoint that it continues from; the steps after it are trained again'),
      learningRate: z.number().describe('The new learning rate, half of the previous one'),
    })
    .describe(
      'The loss was not finite and training.onNonFinite is rollback: the training goes back to the last checkpoint, once',
    ),
  pausing: z.strictObject({}).describe('A pause was requested'),
  paused: z
    .strictObject({ epoch: count, step: count })
    .describe('The experiment is paused; a checkpoint was written'),
  cancelling: z.strictObject({}).describe('Cancellation was requested'),
  cancelled: z.strictObject({ epoch: count, step: count }).describe('The experiment was cancelled'),
  interrupted: z
    .strictObject({ reason: z.string(), willRestart: z.boolean() })
    .describe('Its host or the server stopped while it was running'),
  succeeded: z
    .strictObject({
      testPerplexity: perplexity,
      testLoss: z.number().nullable(),
      testBitsPerByte: bitsPerByte,
      validPerplexity: perplexity,
      validBitsPerByte: bitsPerByte,
      digest: z.string().describe('SHA-256 of the final weights, hexadecimal'),
      seconds: z.number(),
      reason: z
        .enum(['epochs', 'early-stopping', 'max-duration', 'steps', 'imported'])
        .describe(
          'Why the training ended. steps: maxSteps, or the steps of the time budget, were reached; imported: the model was imported, nothing was trained or evaluated',
        ),
      steps: count.optional().describe('Total number of updates'),
      plannedSteps: count
        .nullable()
        .optional()
        .describe('Updates that the time budget was planned for; null = there was none'),
      firstPlannedSteps: count
        .nullable()
        .optional()
        .describe(
          'Updates that it was planned for before that was corrected to plannedSteps; null = it was not corrected',
        ),
    })
    .describe(
      'The training is complete, or stopped early; the best weights were evaluated on the test split',
    ),
  failed: z
    .strictObject({
      error: SerializedError,
    })
    .describe('The experiment ended with an error'),
} as const;

export type EventType = keyof typeof EventData;
export const EVENT_TYPES = Object.keys(EventData) as [EventType, ...EventType[]];

/** A union of one object per event type, each with the fields of the envelope beside `type` and `data`. */
function eventUnion<Envelope extends z.ZodRawShape>(envelope: Envelope) {
  const event = <Type extends EventType>(type: Type) =>
    z.strictObject({ ...envelope, type: z.literal(type), data: EventData[type] });
  return z.discriminatedUnion('type', [
    event('queued'),
    event('preparing'),
    event('started'),
    event('step'),
    event('epoch'),
    event('sample'),
    event('warning'),
    event('checkpoint'),
    event('rollback'),
    event('pausing'),
    event('paused'),
    event('cancelling'),
    event('cancelled'),
    event('interrupted'),
    event('succeeded'),
    event('failed'),
  ]);
}

/** An event as the trainer yields it, before it has a number. */
export const TrainingEvent = eventUnion({});
export type TrainingEvent = z.infer<typeof TrainingEvent>;

/** An event as it is stored and sent. */
export const StoredEvent = eventUnion({
  experimentId: z.string(),
  seq: z.int().min(1).describe('1, 2, 3 … within the experiment'),
  time: z.string().describe('ISO 8601, UTC'),
}).meta({
  id: 'Event',
  examples: [
    {
      experimentId: EXAMPLE_EXPERIMENT_ID,
      seq: 54,
      time: EXAMPLE_TIME,
      type: 'epoch',
      data: {
        epoch: 1,
        step: 1328,
        trainLoss: 5.62,
        trainPerplexity: 275.9,
        validLoss: 5.276,
        validPerplexity: 195.6,
        validBitsPerByte: 1.405,
        learningRate: 20,
        tokensPerSecond: 22_800,
        gradNorm: 0.22,
        seconds: 42.1,
        remainingSeconds: 126.3,
        isBest: true,
      },
    },
  ],
});
export type StoredEvent = z.infer<typeof StoredEvent>;

/** Event types after which no other follows, unless the experiment is resumed, retried or continued. */
export const FINAL_EVENT_TYPES: readonly EventType[] = ['succeeded', 'failed', 'cancelled'];
