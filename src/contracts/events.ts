import { z } from 'zod';
import { EXAMPLE_EXPERIMENT_ID, EXAMPLE_TIME } from './example-values.js';
import { Perplexity as perplexity } from './figures.js';
import { SerializedError } from './serialized-error.js';

/** Null where it was not measured. Events of earlier versions do not have it. */
const bitsPerByte = z
  .number()
  .nullable()
  .default(null)
  .describe('Comparable between tokenizers: what <unk> hides is charged for, as if the model spelled it');
const count = z.int().min(0);

/** What a training says about itself. Stored before it is sent; `seq` has no gaps within an experiment. */
export const EventData = {
  queued: z
    .strictObject({ position: count.describe('Experiments before it in the queue') })
    .describe('The experiment was accepted, or put back into the queue'),
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
      stepsPerEpoch: count.describe('Steps of one epoch; an estimate when the length varies'),
      resumedFrom: z
        .strictObject({ epoch: count, step: count })
        .nullable()
        .describe('The checkpoint it goes on from'),
    })
    .describe('The first step is about to run'),
  step: z
    .strictObject({
      step: count.describe('Updates so far, over all epochs'),
      epoch: z.number().describe('Epochs so far, with the fraction of the present one'),
      loss: z
        .number()
        .nullable()
        .describe('Mean loss of the steps since the last such event, nats per token'),
      trainPerplexity: perplexity,
      learningRate: z.number(),
      gradNorm: z.number().nullable().describe('Joint L2 norm of the gradients before clipping'),
      tokensPerSecond: z.number(),
      remainingSeconds: z.number().nullable(),
    })
    .describe('Every training.metricsEvery steps; without it at most twice a second'),
  epoch: z
    .strictObject({
      epoch: z.int().min(1),
      step: count,
      trainLoss: z.number().nullable().describe('Nats per token'),
      trainPerplexity: perplexity,
      validLoss: z.number().nullable().describe('Nats per token'),
      validPerplexity: perplexity,
      validBitsPerByte: bitsPerByte,
      learningRate: z.number().describe('At the end of the epoch'),
      tokensPerSecond: z.number().describe('Training only, without evaluation'),
      gradNorm: z.number().nullable().describe('Mean over the epoch, before clipping'),
      seconds: z.number().describe('Training and evaluation of this epoch'),
      remainingSeconds: z.number().nullable(),
      isBest: z.boolean().describe('The lowest validation perplexity so far'),
    })
    .describe('An epoch has ended and the validation split was evaluated'),
  sample: z
    .strictObject({ epoch: count, text: z.string() })
    .describe('Text that the model writes after an epoch'),
  warning: z
    .strictObject({
      epoch: count,
      kind: z.enum(['no-improvement', 'no-learning', 'diverging']),
      message: z.string().describe('What was seen, for people'),
      advice: z.string().describe('What to change'),
    })
    .describe('The training goes on, but not well'),
  checkpoint: z
    .strictObject({
      epoch: count,
      step: count,
      file: z.string().describe('Relative to the experiment’s folder'),
      bytes: count,
      digest: z.string().describe('SHA-256 of the weights, hexadecimal'),
      isBest: z.boolean(),
    })
    .describe('A checkpoint is on the disk, flushed'),
  rollback: z
    .strictObject({
      step: count.describe('The step whose loss or gradient was not finite'),
      epoch: z.int().min(1).describe('The epoch that it was in'),
      reason: z.string().describe('What was not finite'),
      restored: z
        .strictObject({ epoch: count, step: count })
        .describe('The checkpoint it goes on from; what came after it is trained again'),
      learningRate: z.number().describe('Half of what it was, from here on'),
    })
    .describe('The loss was not finite, and the config says to go back to the last checkpoint, once'),
  pausing: z.strictObject({}).describe('A pause was asked for'),
  paused: z.strictObject({ epoch: count, step: count }).describe('It rests; a checkpoint is on the disk'),
  cancelling: z.strictObject({}).describe('A cancel was asked for'),
  cancelled: z.strictObject({ epoch: count, step: count }).describe('It was ended for good'),
  interrupted: z
    .strictObject({ reason: z.string(), willRestart: z.boolean() })
    .describe('Its host or the server ended under it'),
  succeeded: z
    .strictObject({
      testPerplexity: perplexity,
      testLoss: z.number().nullable(),
      testBitsPerByte: bitsPerByte,
      validPerplexity: perplexity,
      validBitsPerByte: bitsPerByte,
      digest: z.string().describe('SHA-256 over the final weights, hexadecimal'),
      seconds: z.number(),
      reason: z
        .enum(['epochs', 'early-stopping', 'max-duration', 'steps', 'imported'])
        .describe(
          'steps: maxSteps, or what the time budget was worth; imported: nothing was trained or evaluated here',
        ),
      steps: count.optional().describe('Updates in all'),
    })
    .describe('All epochs done, or stopped early; the best weights were evaluated on the test split'),
  failed: z
    .strictObject({
      error: SerializedError,
    })
    .describe('It ended with an error'),
} as const;

export type EventType = keyof typeof EventData;
export const EVENT_TYPES = Object.keys(EventData) as [EventType, ...EventType[]];

/** One object a type of event, each with the same fields beside `type` and `data`. */
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

/** An event before it has a number: what the trainer yields. */
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

/** Event types after which no other comes, unless someone resumes, retries or continues the experiment. */
export const FINAL_EVENT_TYPES: readonly EventType[] = ['succeeded', 'failed', 'cancelled'];
