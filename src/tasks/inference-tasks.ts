import type { TrainedModel } from '../checkpoints/model-folder.js';
import { type ModelLocation, WarmModels } from '../checkpoints/warm-models.js';
import type { TrainingEstimate } from '../contracts/estimate.js';
import type { InferenceLimits } from '../contracts/inference-limits.js';
import type {
  FileSource,
  InferenceResults,
  InferenceTask,
  InferenceThreadOptions,
  ModelReference,
} from '../contracts/jobs.js';
import { assertLongEnough } from '../corpora/corpus.js';
import { loadCorpus } from '../corpora/load-corpus.js';
import { runCooperatively } from '../evaluation/cooperative-scheduler.js';
import { pathOf } from '../files/layout.js';
import { searchBeams } from '../generation/beam-search.js';
import { GenerationEngine } from '../generation/generation-engine.js';
import { loadBackend } from '../kernels/backend.js';
import type { Kernels } from '../kernels/kernels.js';
import { estimateTraining } from '../training/estimate-training.js';
import { evaluateModel, rank, scoreStream, scoreTexts, type Turn } from './read-text.js';
import { sampleQuality } from './sample-quality.js';
import type { TaskContext } from './task-context.js';
import { exportBundle, importBundle } from './transfer-bundle.js';
import { writeText } from './write-text.js';

type Result = InferenceResults[InferenceTask['type']];
type ModelTask = Exclude<InferenceTask, { type: 'export' | 'import' | 'estimate' }>;
type WarmModel = TrainedModel & { readonly extra: GenerationEngine };

/** Runs the tasks of an inference thread: caches trained models, and generates the texts of a model in one batch. */
export class InferenceTasks {
  readonly #source: FileSource;
  readonly #limits: InferenceLimits;
  #warmModels: WarmModels<GenerationEngine> | null = null;
  /** Number of texts in generation. */
  #textsOpen = 0;

  constructor({ dataDirectory, mirror, ...limits }: InferenceThreadOptions) {
    this.#source = { dataDirectory, mirror };
    this.#limits = limits;
  }

  /** @throws AppError */
  async run(task: InferenceTask, context: TaskContext): Promise<Result> {
    switch (task.type) {
      case 'export':
        return exportBundle(task, this.#source);
      case 'import':
        return importBundle(task, this.#source);
      case 'estimate':
        return estimate(await loadKernels(), task, this.#turn(context));
      default:
        this.#warmModels ??= this.#createWarmModels(await loadKernels());
        return this.#warmModels.use(this.#locate(task.model), (warm) => this.#useModel(warm, task, context));
    }
  }

  #createWarmModels(kernels: Kernels): WarmModels<GenerationEngine> {
    return new WarmModels(kernels, this.#limits.warmModelBytes, {
      build: ({ model }) => new GenerationEngine(model, this.#limits),
      dispose: (engine) => engine.dispose(),
    });
  }

  #locate({ experimentId, folder, digest }: ModelReference): ModelLocation {
    return { experimentId, folder: pathOf(this.#source.dataDirectory, folder), digest };
  }

  /** Generation has priority over all other tasks. */
  #turn({ tell, nextInput, isCancelled }: TaskContext): Turn {
    return { tell, nextInput, isCancelled, source: this.#source, othersWait: () => this.#textsOpen > 0 };
  }

  async #useModel(warm: WarmModel, task: ModelTask, context: TaskContext): Promise<Result> {
    const turn = this.#turn(context);
    switch (task.type) {
      case 'generate':
        this.#textsOpen += 1;
        try {
          return await writeText(warm, warm.extra, task, {
            ...turn,
            othersWait: () => this.#textsOpen > 1,
          });
        } finally {
          this.#textsOpen -= 1;
        }
      case 'search':
        return runCooperatively(searchBeams(warm.model, warm.tokenizer, task.request), turn);
      case 'rank':
        return rank(warm, task, turn);
      case 'score':
        return scoreTexts(warm, task, turn);
      case 'score-stream':
        return scoreStream(warm, task, turn);
      case 'evaluate':
        return evaluateModel(warm, task, turn);
      case 'sample-quality':
        return sampleQuality(warm, warm.extra, task, turn);
      default:
        return task satisfies never;
    }
  }
}

async function loadKernels(): Promise<Kernels> {
  return (await loadBackend()).kernels;
}

async function estimate(
  kernels: Kernels,
  { config }: Extract<InferenceTask, { type: 'estimate' }>,
  turn: Turn,
): Promise<TrainingEstimate> {
  const { corpus: name, tokenizer, training } = config;
  const corpus = await loadCorpus({ corpus: name, tokenizer, ...turn.source });
  assertLongEnough(corpus, training);
  const { splits, vocabulary } = corpus;
  return runCooperatively(
    estimateTraining({ kernels, config, vocabularySize: vocabulary.size, splits }),
    turn,
  );
}
