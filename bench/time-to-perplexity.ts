/**
 * How long the same recipe takes to given perplexities of valid on PTB, in gatelm and in PyTorch in its fastest mode. Adds a row for
 * each recipe and program to a file of results, after each training; what the file has is not trained again.
 *
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/time-to-perplexity.js
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/time-to-perplexity.js --program pytorch --targets 150,120 'RECIPE_JSON' …
 *     node dist/bench/time-to-perplexity.js --table
 *
 * A recipe is a body of POST /experiments without corpus; gatelm's precision is bfloat16 where it says nothing else. Both programs
 * evaluate valid every --evaluate-every steps and at the end of each epoch. The time is that of the steps: evaluations are not counted,
 * nor are the start and checkpoints. A training ends with the last target or with the epochs of its recipe. The Python to use is
 * GATELM_BENCH_PYTHON, else python3.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { resolveExperimentInput } from '../src/contracts/resolve-config.js';
import { loadBackend } from '../src/kernels/backend.js';
import { type Crossing, type CurvePoint, firstCrossings } from './first-crossings.js';
import { trainCurve } from './gatelm-curve.js';
import { trainPytorch } from './pytorch-ptb.js';
import { describeRun, type RunRecord } from './run-record.js';
import { scopedFolder, withScope } from './scope.js';

/** The book's last model; and the best of one layer within a minute, of time-buys.ts. */
const RECIPES = [
  { preset: 'better-rnnlm', training: { epochs: 10 } },
  {
    model: {
      embeddingSize: 200,
      hiddenSizes: [200],
      tieWeights: true,
      forgetBias: 1,
      initialization: 'uniform',
      initializationRange: 0.08,
    },
    optimizer: { type: 'adamw', learningRate: 0.008, weightDecay: 0.01 },
    schedule: { type: 'one-cycle', warmupFraction: 0.1 },
    training: { epochs: 3, batchSize: 20, bpttLength: 35, maxGradNorm: 1 },
  },
];
const PROGRAMS = ['gatelm', 'pytorch'] as const;
type Program = (typeof PROGRAMS)[number];

/** A training as it went. */
interface Course {
  readonly parameterCount: number;
  readonly trainTokens: number;
  /** Precision in gatelm, mode in PyTorch. */
  readonly mode: string;
  readonly curve: readonly CurvePoint[];
}

interface Row
  extends Omit<Course, 'trainTokens'>,
    Pick<RunRecord, 'commit' | 'machine' | 'startedAt' | 'loadAtStart'> {
  readonly program: Program;
  readonly recipe: object;
  readonly seed: number;
  readonly evaluateEvery: number;
  /** Of training. */
  readonly tokensPerSecond: number;
  readonly reached: readonly Crossing[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    program: { type: 'string', multiple: true, default: [...PROGRAMS] },
    targets: { type: 'string', default: '150,120,100' },
    'evaluate-every': { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    table: { type: 'boolean', default: false },
    output: { type: 'string', default: 'results/time-to-perplexity.json' },
  },
});
const targets = values.targets.split(',').map(Number);
const evaluateEvery = Number(values['evaluate-every']);
const seed = Number(values.seed);
const source = { dataDirectory: 'data', mirror: process.env.GATELM_CORPORA_MIRROR ?? null };
const rows: Row[] = existsSync(values.output) ? JSON.parse(readFileSync(values.output, 'utf8')).rows : [];
if (!values.table) await trainAll();
console.log(table());

async function trainAll(): Promise<void> {
  const unknown = values.program.find((name) => !PROGRAMS.some((program) => program === name));
  if (unknown) throw new Error(`no program ${unknown}; there are ${PROGRAMS.join(', ')}`);
  const recipes = positionals.length > 0 ? positionals.map((text) => JSON.parse(text)) : RECIPES;
  for (const recipe of recipes) {
    for (const program of PROGRAMS) {
      if (!values.program.includes(program) || rows.some((row) => isSame(row, program, recipe))) continue;
      rows.push(await train(program, recipe));
      writeFileSync(values.output, `${JSON.stringify({ rows }, null, 2)}\n`);
    }
  }
}

function isSame(row: Row, program: Program, recipe: object): boolean {
  return (
    row.program === program &&
    row.seed === seed &&
    row.evaluateEvery === evaluateEvery &&
    isDeepStrictEqual(row.recipe, recipe) &&
    isDeepStrictEqual(
      row.reached.map(({ target }) => target),
      targets,
    )
  );
}

async function train(program: Program, recipe: { training?: object }): Promise<Row> {
  const { command: _, ...run } = describeRun();
  const training = { ...recipe.training, seed };
  const config = resolveExperimentInput({ precision: 'bfloat16', ...recipe, corpus: 'ptb', training });
  const follow = (point: CurvePoint) =>
    console.log(
      `${program}, step ${point.step}, ${point.seconds.toFixed(1)} s: valid ${point.validPerplexity.toFixed(1)}`,
    );
  const { trainTokens, ...course } = await (program === 'gatelm' ? trainGatelm : trainPeer)(config, follow);
  const { epoch, seconds } = course.curve.at(-1)!;
  const tokensPerSecond = (epoch * trainTokens) / seconds;
  const reached = firstCrossings(course.curve, targets);
  return { program, recipe, seed, evaluateEvery, tokensPerSecond, reached, ...course, ...run };
}

type Config = ReturnType<typeof resolveExperimentInput>;
type Follow = (point: CurvePoint) => void;

async function trainGatelm(config: Config, follow: Follow): Promise<Course> {
  const options = { evaluateEvery, until: Math.min(...targets), follow };
  const trained = await withScope((scope) => trainCurve(config, source, scopedFolder(scope), options));
  return { ...trained, mode: config.precision };
}

async function trainPeer(config: Config, follow: Follow): Promise<Course> {
  const { threads } = (await loadBackend()).report;
  const curve: CurvePoint[] = [];
  const { started } = await trainPytorch(
    { config, threads, evaluateEvery, targets },
    source,
    (evaluation) => {
      const { step, epoch, stepSeconds: seconds, validPerplexity } = evaluation;
      const point = { step, epoch, seconds, validPerplexity };
      curve.push(point);
      follow(point);
    },
  );
  const { parameterCount, trainTokens, mode } = started;
  return { parameterCount, trainTokens, mode, curve };
}

function table(): string {
  const lines = rows.map(({ recipe, program, mode, seed, tokensPerSecond, reached }) => {
    const times = reached.map(({ target, at }) =>
      at ? `${target}: ${at.seconds.toFixed(0)} s, ${at.epoch.toFixed(2)} epochs` : `${target}: –`,
    );
    const speed = Math.round(tokensPerSecond).toLocaleString('en-US');
    return `| \`${JSON.stringify(recipe)}\` | ${program}, ${mode} | ${seed} | ${speed} | ${times.join('; ')} |`;
  });
  return ['| recipe | program | seed | tokens/s | time to valid |', '|---|---|---|---:|---|', ...lines].join(
    '\n',
  );
}
