/** Executors without tensors: trainings that a test plays step by step, or that play themselves. */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostStats } from '../../src/compute/host-stats.js';
import type {
  InferenceExecutor,
  InferencePartOf,
  InferenceResultOf,
  RunOptions,
} from '../../src/compute/inference-executor.js';
import type { TrainingExecutor, TrainingRun } from '../../src/compute/training-executor.js';
import { TokenizerConfig } from '../../src/contracts/corpus.js';
import type { EvaluationProgress } from '../../src/contracts/evaluation.js';
import type { TrainingEvent } from '../../src/contracts/events.js';
import type {
  BackendReport,
  InferenceTask,
  RunEvent,
  StopMode,
  TrainingJob,
  TrainingOutcome,
} from '../../src/contracts/jobs.js';
import { type Machine, type MachineRequirements, meets } from '../../src/contracts/machine.js';
import { ModelConfig } from '../../src/contracts/model.js';
import { pathOf } from '../../src/files/layout.js';
import { turns } from './turns.js';

/** What a host without tensors reports. */
export const FAKE_BACKEND: BackendReport = {
  backend: 'native',
  kernels: 'composed',
  instructions: null,
  threads: 1,
  cpu: 'a test',
  notes: [],
};

const NO_PROCESSES: HostStats = { processIds: [], residentBytes: 0, cpuSeconds: 0 };

/** A training whose events the test gives. */
export class FakeRun implements TrainingRun {
  readonly job: TrainingJob;
  readonly stops: StopMode[] = [];
  readonly outcome: Promise<TrainingOutcome>;
  readonly events: AsyncIterable<readonly RunEvent[]>;
  readonly #waiting: TrainingEvent[] = [];
  #onStop: (mode: StopMode) => void = () => {};
  #settle: (outcome: TrainingOutcome) => void = () => {};
  #wake: () => void = () => {};
  #isOver = false;

  constructor(job: TrainingJob) {
    this.job = job;
    this.outcome = new Promise((settle) => {
      this.#settle = settle;
    });
    this.events = this.#iterate();
  }

  get experimentId(): string {
    return this.job.experimentId;
  }

  get attempt(): number {
    return this.job.attempt;
  }

  emit(...events: TrainingEvent[]): void {
    this.#waiting.push(...events);
    this.#wake();
  }

  finish(outcome: TrainingOutcome): void {
    this.#isOver = true;
    this.#wake();
    this.#settle(outcome);
  }

  stop(mode: StopMode): void {
    this.stops.push(mode);
    this.#onStop(mode);
  }

  kill(): void {
    this.finish({ type: 'interrupted', reason: 'killed' });
  }

  onStop(listener: (mode: StopMode) => void): void {
    this.#onStop = listener;
  }

  async *#iterate(): AsyncGenerator<readonly RunEvent[]> {
    for (let seq = 1; ; ) {
      const next = this.#waiting.shift();
      if (next) yield [{ seq: seq++, event: next }];
      else if (this.#isOver) return;
      else
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
    }
  }
}

export class FakeTrainingExecutor implements TrainingExecutor {
  readonly #slots: number;
  readonly #machine: Machine;
  readonly runs: FakeRun[] = [];
  readonly #plays: boolean | PlayedLoss;
  /** Epochs that each experiment has a checkpoint of. */
  readonly #done = new Map<string, number>();
  #onSubmit: (run: FakeRun) => void = () => {};
  closed = false;

  /** @param plays trainings run by themselves, all epochs, and heed stops; a function gives their losses */
  constructor({
    slots = 1,
    plays = false,
    machine = { labels: [], memoryBytes: 0 },
  }: { slots?: number; plays?: boolean | PlayedLoss; machine?: Machine } = {}) {
    this.#slots = slots;
    this.#machine = machine;
    this.#plays = plays;
  }

  capacity(required?: MachineRequirements): number {
    return meets(this.#machine, required) ? this.#slots : 0;
  }

  attach(): null {
    return null;
  }

  async submit(job: TrainingJob): Promise<FakeRun> {
    const run = new FakeRun(job);
    this.runs.push(run);
    if (this.#plays === true) void playTraining(run);
    else if (this.#plays) void playLosses(run, this.#plays, this.#done);
    this.#onSubmit(run);
    return run;
  }

  /** The run of that number (0, 1, …), when it has begun. */
  async run(index: number): Promise<FakeRun> {
    while (!this.runs[index]) {
      await new Promise<void>((submitted) => {
        this.#onSubmit = () => submitted();
      });
    }
    return this.runs[index];
  }

  backendReport(): BackendReport {
    return FAKE_BACKEND;
  }

  unusableReason(): string | null {
    return null;
  }

  hostStats(): HostStats {
    return NO_PROCESSES;
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const run of this.runs) run.finish({ type: 'interrupted', reason: 'the server is stopping' });
  }
}

export class FakeInferenceExecutor implements InferenceExecutor {
  readonly #dataDirectory: string;
  readonly tasks: InferenceTask[] = [];
  /** Generations go on until they are cancelled. */
  isEndless = false;
  cancelled = 0;

  /** @param dataDirectory where an export writes its files */
  constructor(dataDirectory = '/nonexistent') {
    this.#dataDirectory = dataDirectory;
  }

  async run<Task extends InferenceTask>(
    task: Task,
    options: RunOptions<InferencePartOf<Task>> = {},
  ): Promise<InferenceResultOf<Task>> {
    this.tasks.push(task);
    if (task.type === 'evaluate')
      (options as RunOptions<EvaluationProgress>).onPart?.({
        phase: 'evaluation',
        tokens: 5,
        totalTokens: 10,
        perplexity: 4,
      });
    if (task.type === 'score-stream') return (await scoreInput(options)) as InferenceResultOf<Task>;
    if (task.type === 'generate') {
      const { onPart, signal } = options as RunOptions;
      if (task.request.echo) onPart?.({ text: task.request.prompt, tokens: 0 });
      onPart?.({ text: ' and', tokens: 1 });
      onPart?.({ text: ' so on', tokens: task.request.maxTokens });
      if (this.isEndless) {
        await new Promise((end) => signal?.addEventListener('abort', end));
        this.cancelled += 1;
        return { ...answer(task, this.#dataDirectory), finishReason: 'cancelled' } as InferenceResultOf<Task>;
      }
    }
    return answer(task, this.#dataDirectory) as InferenceResultOf<Task>;
  }

  backendReport(): BackendReport {
    return FAKE_BACKEND;
  }

  unusableReason(): string | null {
    return null;
  }

  hostStats(): HostStats {
    return NO_PROCESSES;
  }

  async close(): Promise<void> {}
}

const SCORED = { token: 'a', start: 0, end: 1, surprisal: Math.log(4) };

/** Reads all of a text that comes piece by piece; each piece counts as one token. */
async function scoreInput({ input, onPart }: RunOptions<never>) {
  let tokens = 0;
  for (let next = await input!.next(); !next.done; next = await input!.next()) {
    tokens += 1;
    await onPart?.({ tokens: [SCORED], wantsMore: true } as never);
  }
  return { perplexity: 4, loss: Math.log(4), bitsPerByte: 2, tokens, bytes: tokens };
}

function answer(task: InferenceTask, dataDirectory: string): InferenceResultOf<InferenceTask> {
  switch (task.type) {
    case 'generate': {
      const { experimentId } = task.model;
      const { prompt, maxTokens, seed = 7 } = task.request;
      const text = ' and so on';
      return {
        experimentId,
        prompt,
        promptTokens: 2,
        text,
        tokens: maxTokens,
        finishReason: 'length',
        seed,
        unknownWords: [],
      };
    }
    case 'estimate':
      return {
        parameterCount: 1234,
        vocabularySize: 50,
        trainTokens: 1000,
        stepsPerEpoch: 10,
        measured: { steps: 5, tokensPerSecond: 1000, secondsPerEpoch: 1, seconds: 10 },
        memoryBytes: 1_000_000,
      };
    case 'search':
      return {
        promptTokens: 2,
        unknownWords: [],
        choices: Array.from({ length: task.request.n }, () => ({
          text: ' and so on',
          tokens: 3,
          finishReason: 'length' as const,
          logprob: -3,
        })),
      };
    case 'score': {
      const item = { perplexity: 4, bitsPerByte: 2, unknownWords: [], tokens: [SCORED] };
      return { items: (task.request.texts ?? [task.request.text]).map(() => item) };
    }
    case 'score-stream':
      return { perplexity: 4, loss: Math.log(4), bitsPerByte: 2, tokens: 1, unknownTokens: 0, bytes: 1 };
    case 'rank':
      return {
        items: task.request.alternatives.map((alternative, index) => ({
          index,
          alternative,
          logprob: -Math.log(4),
          unknownWords: [],
          tokens: 1,
          perplexity: 4,
          share: 1 / task.request.alternatives.length,
        })),
      };
    case 'evaluate':
      return { perplexity: 4, loss: Math.log(4), tokens: 10, bitsPerByte: 2 };
    case 'sample-quality': {
      const quality = { tokens: 2, distinct: [1, 1, null, null], copiedShare: 0, longestCopy: 1 };
      const samples = task.request.temperatures.map((temperature) => ({
        temperature,
        ...quality,
        text: 'ab',
      }));
      return { experimentId: task.model.experimentId, samples, test: quality };
    }
    case 'export': {
      const files = { 'model.safetensors': 'w'.repeat(1000), 'config.json': '{}', 'tokenizer.json': '{}' };
      for (const [name, text] of Object.entries(files))
        writeFileSync(join(pathOf(dataDirectory, task.bundle), name), text);
      return { files: Object.entries(files).map(([name, { length: bytes }]) => ({ name, bytes })) };
    }
    case 'import':
      return {
        digest: 'e'.repeat(64),
        parameterCount: 99,
        vocabularySize: 6,
        model: ModelConfig.parse({}),
        precision: 'float32',
        corpus: 'unknown',
        tokenizer: TokenizerConfig.parse({ type: 'word' }),
      };
    default:
      return task satisfies never;
  }
}

export function startedEvent(attempt = 1, resumedFrom: { epoch: number; step: number } | null = null) {
  return {
    type: 'started',
    data: {
      attempt,
      backend: 'native',
      kernels: 'composed',
      threads: 1,
      parameterCount: 1234,
      vocabularySize: 50,
      trainTokens: 1000,
      validTokens: 100,
      stepsPerEpoch: 10,
      resumedFrom,
    },
  } satisfies TrainingEvent;
}

export function stepEvent(step: number): TrainingEvent {
  return {
    type: 'step',
    data: {
      step,
      epoch: step / 10,
      loss: 5,
      trainPerplexity: Math.exp(5),
      learningRate: 20,
      gradNorm: 1,
      tokensPerSecond: 1000,
      remainingSeconds: 10,
    },
  };
}

/** The end of an epoch of ten steps, which is the best so far. */
export function epochEvent(epoch: number, validPerplexity = 200 / epoch): TrainingEvent {
  return {
    type: 'epoch',
    data: {
      epoch,
      step: epoch * 10,
      trainLoss: Math.log(250 / epoch),
      trainPerplexity: 250 / epoch,
      validLoss: Math.log(validPerplexity),
      validPerplexity,
      validBitsPerByte: Math.log2(validPerplexity) / 5,
      learningRate: 20,
      tokensPerSecond: 1000,
      gradNorm: 1,
      seconds: 1,
      remainingSeconds: 1,
      isBest: true,
    },
  };
}

export function checkpointEvent(epoch: number): TrainingEvent {
  const step = epoch * 10;
  return {
    type: 'checkpoint',
    data: {
      epoch,
      step,
      file: `checkpoints/step-${step}.safetensors`,
      bytes: 100,
      digest: `digest-${epoch}`,
      isBest: true,
    },
  };
}

export const SUCCEEDED_EVENT: TrainingEvent = {
  type: 'succeeded',
  data: {
    testPerplexity: 90,
    testLoss: Math.log(90),
    testBitsPerByte: 1.9,
    validPerplexity: 100,
    validBitsPerByte: 2,
    digest: 'f'.repeat(64),
    seconds: 3,
    reason: 'epochs',
  },
};

async function playTraining(run: FakeRun): Promise<void> {
  let stop: StopMode | undefined;
  run.onStop((mode) => {
    stop = mode;
  });
  run.emit(startedEvent(run.job.attempt));
  for (let epoch = 1; epoch <= run.job.config.training.epochs; epoch++) {
    for (const event of [stepEvent(epoch * 10 - 5), epochEvent(epoch), checkpointEvent(epoch)]) {
      await turns(1);
      if (stop) {
        run.finish({ type: 'stopped', mode: stop });
        return;
      }
      run.emit(event);
    }
  }
  run.emit(SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
}

/** The validation loss of a config after an epoch (1, 2, …). */
export type PlayedLoss = (config: TrainingJob['config'], epoch: number) => number;

/** Goes on from its last epoch when it is resumed; a stop takes effect at a random later turn. */
async function playLosses(run: FakeRun, loss: PlayedLoss, done: Map<string, number>): Promise<void> {
  const { experimentId, job } = run;
  let stop: StopMode | undefined;
  run.onStop((mode) => {
    stop = mode;
  });
  const first = (job.resume && done.get(experimentId)) || 0;
  run.emit(startedEvent(job.attempt, first > 0 ? { epoch: first, step: first * 10 } : null));
  for (let epoch = first + 1; epoch <= job.config.training.epochs; epoch++) {
    await turns(randomInt(1, 6));
    if (epoch > (job.pauseAtEpoch ?? Number.POSITIVE_INFINITY)) stop ??= 'pause';
    if (stop) {
      run.finish({ type: 'stopped', mode: stop });
      return;
    }
    run.emit(epochEvent(epoch, Math.exp(loss(job.config, epoch))), checkpointEvent(epoch));
    done.set(experimentId, epoch);
  }
  await turns(randomInt(1, 6)); // evaluates its test text, which a stop does not interrupt
  run.emit(SUCCEEDED_EVENT);
  run.finish({ type: 'succeeded' });
}
