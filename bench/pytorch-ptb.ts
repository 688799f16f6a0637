import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ExperimentInput } from '../src/contracts/experiment-config.js';
import { SPLIT_NAMES } from '../src/corpora/corpus.js';
import type { CorpusSource } from '../src/corpora/corpus-source.js';
import { readCorpusText } from '../src/corpora/load-corpus.js';
import { scopedFolder, withScope } from './scope.js';
import { torchPython } from './torch-python.js';

/** What bench/peers/pytorch_ptb.py is asked for; see there. */
export interface PytorchTraining {
  readonly config: ExperimentInput;
  readonly threads: number;
  readonly secondBias?: boolean;
  readonly evaluateEvery?: number;
  readonly targets?: readonly number[];
  readonly isTested?: boolean;
}

const Started = z.object({
  type: z.literal('started'),
  parameterCount: z.int(),
  trainTokens: z.int(),
  /** The one of PyTorch's three modes that is the fastest for this model. */
  mode: z.string(),
});
const Evaluation = z.object({
  type: z.literal('evaluation'),
  step: z.int(),
  epoch: z.number(),
  /** Of the steps alone. */
  stepSeconds: z.number(),
  validPerplexity: z.number(),
  /** Of the steps since the last evaluation. */
  tokensPerSecond: z.number().nullable(),
});
const Ended = z.object({
  type: z.literal('ended'),
  step: z.int(),
  epoch: z.number(),
  /** Of steps and evaluations. */
  seconds: z.number(),
  /** The best. */
  validPerplexity: z.number(),
  testPerplexity: z.number().nullable(),
});
const Line = z.discriminatedUnion('type', [Started, Evaluation, Ended]);
export type PytorchEvaluation = z.infer<typeof Evaluation>;

export interface PytorchTrained {
  readonly started: z.infer<typeof Started>;
  readonly evaluations: readonly PytorchEvaluation[];
  readonly ended: z.infer<typeof Ended>;
}

/**
 * Trains in PyTorch what a config says.
 * @param onEvaluation is called after each evaluation of valid, the first before any step
 */
export async function trainPytorch(
  training: PytorchTraining,
  source: CorpusSource,
  onEvaluation: (evaluation: PytorchEvaluation) => void = () => {},
): Promise<PytorchTrained> {
  const { python, unavailable } = torchPython();
  if (unavailable) throw new Error(unavailable);
  return withScope(async (scope) => {
    const folder = scopedFolder(scope);
    const { splits } = await readCorpusText(training.config.corpus, source);
    const files = Object.fromEntries(SPLIT_NAMES.map((split) => [split, join(folder, `${split}.txt`)]));
    for (const split of SPLIT_NAMES) writeFileSync(files[split]!, splits[split]);
    const lines: z.infer<typeof Line>[] = [];
    for await (const line of runProgram(python, { ...files, ...training })) {
      lines.push(line);
      if (line.type === 'evaluation') onEvaluation(line);
    }
    const of = <Type extends (typeof lines)[number]['type']>(type: Type) =>
      lines.filter((line) => line.type === type) as Extract<z.infer<typeof Line>, { type: Type }>[];
    return { started: of('started')[0]!, evaluations: of('evaluation'), ended: of('ended')[0]! };
  });
}

async function* runProgram(python: string, request: object): AsyncGenerator<z.infer<typeof Line>> {
  const program = fileURLToPath(new URL('../../bench/peers/pytorch_ptb.py', import.meta.url));
  const child = spawn(python, [program, JSON.stringify(request)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) yield Line.parse(JSON.parse(line));
  const [code] = await closed;
  if (code !== 0) throw new Error(`${program} ended with status ${code}`);
}
