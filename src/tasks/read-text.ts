/** Tasks that only read texts: score, rank, evaluate. */
import type { TrainedModel } from '../checkpoints/model-folder.js';
import type { SplitName } from '../contracts/corpus.js';
import {
  type EvaluationProgress,
  type EvaluationResult,
  readsTrainingCorpus,
} from '../contracts/evaluation.js';
import type { FileSource, InferenceTask } from '../contracts/jobs.js';
import type { RankResult, ScoredToken, ScoreList, ScoreResult, ScoreSummary } from '../contracts/score.js';
import type { Corpus } from '../corpora/corpus.js';
import { loadCorpus } from '../corpora/load-corpus.js';
import { appError } from '../errors.js';
import {
  evaluateAdapted,
  isAdaptive,
  type PreparedAdaptation,
  prepareAdaptation,
} from '../evaluation/adaptive-evaluation.js';
import { runCooperatively } from '../evaluation/cooperative-scheduler.js';
import { bitsPerByte, evaluateStepwise } from '../evaluation/evaluate.js';
import { rankAlternatives } from '../evaluation/rank-alternatives.js';
import { scoreTextStepwise } from '../evaluation/score-text.js';
import { SurprisalReader } from '../evaluation/surprisal-reader.js';
import { TextScorer } from '../evaluation/text-scorer.js';
import type { TaskContext } from './task-context.js';

/** Context of a task that yields to other tasks of the thread. */
export interface Turn extends TaskContext {
  /** Source of corpora. */
  readonly source: FileSource;
  /** Whether other tasks wait for the thread. */
  othersWait(): boolean;
}

/** Batches for the evaluation of a split. */
const EVALUATION = { batchSize: 10, bpttLength: 35 } as const;
/** Minimum time between two progress reports. */
const PROGRESS_INTERVAL_MS = 100;
const SILENT = () => {};

type TaskOf<Type> = Extract<InferenceTask, { type: Type }>;
type ReadingTask = TaskOf<'score' | 'score-stream' | 'evaluate'>;

/** Calls `use` with the adaptation of the request, and disposes it afterwards. */
async function withAdaptation<Answer>(
  { model, tokenizer, description }: TrainedModel,
  { request }: ReadingTask,
  turn: Turn,
  onStep: (progress: EvaluationProgress) => void,
  use: (adaptation: PreparedAdaptation) => Promise<Answer>,
): Promise<Answer> {
  const splits = readsTrainingCorpus(request)
    ? (await loadCorpus({ corpus: description.corpus, tokenizer, ...turn.source })).splits
    : null;
  const steps = prepareAdaptation(model, request, splits);
  const adaptation = await runCooperatively(steps, { ...turn, onStep });
  try {
    return await use(adaptation);
  } finally {
    adaptation.dispose();
  }
}

export async function rank(
  { model, tokenizer }: TrainedModel,
  task: TaskOf<'rank'>,
  turn: Turn,
): Promise<RankResult> {
  return runCooperatively(rankAlternatives(model, tokenizer, task.request), turn);
}

export async function scoreTexts(warm: TrainedModel, task: TaskOf<'score'>, turn: Turn): Promise<ScoreList> {
  const { text, texts = [text!], inspect } = task.request;
  return withAdaptation(warm, task, turn, SILENT, async (adaptation) => {
    const options = { adaptation, inspect: inspect ? task.request : null };
    const items: ScoreResult[] = [];
    for (const each of texts) {
      const steps = scoreTextStepwise(warm.model, warm.tokenizer, each, options);
      items.push({ ...(await runCooperatively(steps, turn)), ...adaptation.used });
    }
    return { items };
  });
}

export async function scoreStream(
  warm: TrainedModel,
  task: TaskOf<'score-stream'>,
  turn: Turn,
): Promise<ScoreSummary> {
  const { nextInput } = turn;
  const tell = (tokens: ScoredToken[]) => {
    if (task.request.tokens) turn.tell?.({ tokens, wantsMore: false });
  };
  return withAdaptation(warm, task, turn, SILENT, async (adaptation) => {
    const reader = new SurprisalReader(warm.model, adaptation);
    try {
      const scorer = new TextScorer(warm.tokenizer, reader);
      for (let text = await nextInput(); text !== null; text = await nextInput())
        await runCooperatively(scorer.push(text), { ...turn, onStep: tell });
      if (turn.isCancelled()) throw appError('cancelled');
      return { ...(await runCooperatively(scorer.end(), { ...turn, onStep: tell })), ...adaptation.used };
    } finally {
      reader.dispose();
    }
  });
}

export async function evaluateModel(
  warm: TrainedModel,
  task: TaskOf<'evaluate'>,
  turn: Turn,
): Promise<EvaluationResult> {
  const { model, tokenizer, description } = warm;
  const { request } = task;
  const tell = tellProgress(turn);
  return withAdaptation(warm, task, turn, tell, async (adaptation) => {
    if (request.text !== undefined) {
      const steps = scoreTextStepwise(model, tokenizer, request.text, { adaptation });
      const { tokens, ...measured } = await runCooperatively(steps, { ...turn, onStep: tell });
      const loss = tokens.reduce((sum, { surprisal }) => sum + surprisal, 0) / tokens.length;
      return { ...measured, loss, tokens: tokens.length, ...adaptation.used };
    }
    const corpus = await loadCorpus({
      corpus: request.corpus ?? description.corpus,
      tokenizer,
      ...turn.source,
    });
    const { ids, bytes, hiddenNats } = readSplit(corpus, request.split ?? 'test');
    const steps = isAdaptive(request)
      ? evaluateAdapted(model, ids, adaptation)
      : evaluateStepwise(model, ids, { ...EVALUATION, counting: request.counting });
    const evaluation = await runCooperatively(steps, { ...turn, onStep: tell });
    // book drops the remainder of the text: its mean is used for the whole text
    const bits = bitsPerByte(evaluation.loss, ids.length - 1, bytes, hiddenNats);
    return { ...evaluation, bitsPerByte: bits, ...adaptation.used };
  });
}

/** Reports progress at a limited rate. */
function tellProgress({ tell }: Turn): (progress: EvaluationProgress) => void {
  if (!tell) return SILENT;
  let last = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const now = performance.now();
    if (now - last < PROGRESS_INTERVAL_MS) return;
    last = now;
    tell(progress);
  };
}

function readSplit({ splits, bytes, hiddenNats }: Corpus, split: SplitName) {
  return { ids: splits[split], bytes: bytes[split], hiddenNats: hiddenNats[split] };
}
