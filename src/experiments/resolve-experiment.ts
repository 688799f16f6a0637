import type { TrainingExecutor } from '../compute/training-executor.js';
import { CorpusName } from '../contracts/corpus.js';
import type { ExperimentInput } from '../contracts/experiment-config.js';
import { budgetOf, resolveExperimentInput, wantsAuto } from '../contracts/resolve-config.js';
import { chooseRecipe, DEFAULT_BUDGET_SECONDS } from '../recipes/auto-recipe.js';
import { PROFILE_CHARACTERS, profileText, type TextProfile } from '../recipes/text-profile.js';
import type { Corpora } from './corpora.js';

export interface ResolveDependencies {
  readonly corpora: Pick<Corpora, 'assertExists' | 'describe' | 'preview'>;
  /** Says which kernels and which machines there are; without it the kernels are taken for the simplest. */
  readonly trainingExecutor?: Pick<TrainingExecutor, 'backendReport' | 'capacity'>;
}

/** Corpora whose results are reported per word. */
const WORD_BENCHMARKS = ['ptb', 'wikitext-2'];
/** Assumed fraction of the train split, if it has not been counted yet. */
const TRAIN_SHARE = 0.9;
/** A megabyte of prose: assumed for a known corpus that was not downloaded yet. */
const UNSEEN: TextProfile = {
  bytes: 1_000_000,
  bytesPerCharacter: 1,
  distinctCharacters: 65,
  letterShare: 0.84,
  charactersPerLine: 33,
};

/**
 * Resolves the body of POST /experiments to a complete config. With the preset auto, and if the body defines no recipe, the
 * config is chosen from the text, with the explanation in `reasons`.
 * @throws validation-failed, corpus-not-found
 */
export async function resolveExperiment(
  { corpora, trainingExecutor }: ResolveDependencies,
  body: unknown,
): Promise<ExperimentInput> {
  const corpus = wantsAuto(body) ? CorpusName.default('handbook').safeParse(body.corpus) : null;
  if (!corpus?.success) return checkCorpus(corpora, resolveExperimentInput(body));
  const request = body as Record<string, unknown>;
  await corpora.assertExists(corpus.data);
  const { config, reasons } = chooseRecipe({
    profile: await profileCorpus(corpora, corpus.data),
    budgetSeconds: budgetOf(request) ?? DEFAULT_BUDGET_SECONDS,
    backend: trainingExecutor?.backendReport() ?? null,
    isWordBenchmark: WORD_BENCHMARKS.includes(corpus.data),
    tokenizer: request.tokenizer as never,
  });
  return resolveExperimentInput(body, { ...config, preset: 'auto', reasons });
}

async function checkCorpus(
  corpora: ResolveDependencies['corpora'],
  input: ExperimentInput,
): Promise<ExperimentInput> {
  await corpora.assertExists(input.corpus);
  return input;
}

async function profileCorpus(corpora: ResolveDependencies['corpora'], corpus: string): Promise<TextProfile> {
  const { available, bytes, statistics } = await corpora.describe(corpus);
  if (!available) return UNSEEN;
  const { text } = await corpora.preview(corpus, 'train', PROFILE_CHARACTERS);
  return profileText(text, statistics?.train.bytes ?? (bytes ?? UNSEEN.bytes) * TRAIN_SHARE);
}
