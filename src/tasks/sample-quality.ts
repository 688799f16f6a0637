import type { TrainedModel } from '../checkpoints/model-folder.js';
import type { InferenceTask } from '../contracts/jobs.js';
import type { SampleQuality } from '../contracts/sample-quality.js';
import { loadCorpus } from '../corpora/load-corpus.js';
import { appError } from '../errors.js';
import { runCooperatively } from '../evaluation/cooperative-scheduler.js';
import { measureQuality } from '../evaluation/sample-quality.js';
import type { GenerationEngine } from '../generation/generation-engine.js';
import { sampleRequest } from '../generation/sample-request.js';
import { TextWriting } from '../generation/text-writing.js';
import type { Turn } from './read-text.js';

/** Generates a sample at each temperature, in parallel, and compares all of them with the training text. */
export async function sampleQuality(
  { tokenizer, description }: TrainedModel,
  engine: GenerationEngine,
  { request, model }: Extract<InferenceTask, { type: 'sample-quality' }>,
  turn: Turn,
): Promise<SampleQuality> {
  const { temperatures, tokens, seed } = request;
  const { corpus: name } = description;
  const { splits } = await loadCorpus({ corpus: name, tokenizer, ...turn.source });
  const { isCancelled } = turn;
  const written = await Promise.all(
    temperatures.map((temperature) =>
      engine.run(new TextWriting(tokenizer, sampleRequest({ temperature, maxTokens: tokens, seed })), {
        isCancelled,
      }),
    ),
  );
  if (isCancelled()) throw appError('cancelled');
  const measure = (text: string) =>
    runCooperatively(
      measureQuality({ ids: tokenizer.encode(text), characters: text.length }, splits.train),
      turn,
    );
  const samples: SampleQuality['samples'] = [];
  for (const [index, { text }] of written.entries())
    samples.push({ temperature: temperatures[index]!, ...(await measure(text)), text });
  const test = await measure(tokenizer.decode(splits.test.subarray(0, tokens)));
  return { experimentId: model.experimentId, samples, test };
}
