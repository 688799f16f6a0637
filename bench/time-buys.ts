/**
 * What a given time buys on PTB: trains each recipe for the same time and adds a row for each to a file of results.
 *
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/time-buys.js --budget 1m 'RECIPE_JSON' …
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/time-buys.js --budget 1m --test 'RECIPE_JSON'
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/time-buys.js --budget 1m --peer 'RECIPE_JSON' …
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/time-buys.js --budget 1h --test --keep FOLDER 'RECIPE_JSON'
 *     node dist/bench/time-buys.js --table
 *
 * A recipe is a body of POST /experiments without corpus and budget, `{"preset":"auto"}` one of them. Recipes are compared by the
 * perplexity of valid; only with --test, for the one that was chosen by it, a row has that of test. What the file has is not trained
 * again. The time is that of the steps and of the evaluations of valid; `wallSeconds` has besides the reading of the text, the
 * checkpoints and test. With --keep checkpoints and model stay in FOLDER/runs/1 (`gatelm import` takes FOLDER/runs/1/model); a training that was
 * stopped goes on from there, and `wallSeconds` is that of its last part.
 *
 * With --peer PyTorch trains them, by bench/peers/pytorch_ptb.py, in its fastest mode and with as many threads; its schedules follow the
 * time, where gatelm plans its steps once. A recipe may then have `"secondBias": true`, as those that were published for PyTorch. The
 * Python to use is GATELM_BENCH_PYTHON, else python3.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Budget, secondsOf } from '../src/contracts/budget.js';
import type { TrainingEvent } from '../src/contracts/events.js';
import type { FileSource } from '../src/contracts/jobs.js';
import { resolveExperimentInput } from '../src/contracts/resolve-config.js';
import { loadBackend } from '../src/kernels/backend.js';
import { trainPytorch } from './pytorch-ptb.js';
import { describeRun, type RunRecord } from './run-record.js';
import { scopedFolder, withScope } from './scope.js';
import { lastOf, trainHere } from './train-here.js';

interface TimeRow extends Pick<RunRecord, 'commit' | 'machine' | 'startedAt' | 'loadAtStart'> {
  /** Rows without it are gatelm's. */
  readonly program?: 'pytorch';
  /** PyTorch's, the fastest of three. */
  readonly mode?: string;
  readonly budgetSeconds: number;
  readonly recipe: object;
  readonly seed: number;
  readonly parameterCount: number;
  readonly steps: number;
  readonly epochs: number;
  /** Of training, in the last epoch. */
  readonly tokensPerSecond: number;
  readonly seconds: number;
  readonly wallSeconds: number;
  readonly validPerplexity: number;
  /** Null where the recipe was not the chosen one. */
  readonly testPerplexity: number | null;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: 'string', default: '1m' },
    seed: { type: 'string', default: '1' },
    test: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
    keep: { type: 'string' },
    table: { type: 'boolean', default: false },
    output: { type: 'string', default: 'results/time-buys.json' },
  },
});
const rows: TimeRow[] = existsSync(values.output) ? JSON.parse(readFileSync(values.output, 'utf8')).rows : [];
if (values.keep && positionals.length > 1) throw new Error('--keep: one recipe a folder');
if (values.table) console.log(table());
else for (const recipe of positionals) await tryRecipe(JSON.parse(recipe));

async function tryRecipe(recipe: object): Promise<void> {
  const budgetSeconds = secondsOf(Budget.parse(values.budget));
  const seed = Number(values.seed);
  const isSame = (row: TimeRow) =>
    (row.program === 'pytorch') === values.peer &&
    row.budgetSeconds === budgetSeconds &&
    row.seed === seed &&
    JSON.stringify(row.recipe) === JSON.stringify(recipe);
  const known = rows.findIndex(isSame);
  if (known >= 0 && (!values.test || rows[known]!.testPerplexity !== null)) return;
  const { command: _, ...run } = describeRun();
  const figures = await (values.peer ? trainPeer : trainGatelm)(recipe, seed);
  const row: TimeRow = { ...figures, budgetSeconds, recipe, seed, ...run };
  rows.splice(known >= 0 ? known : rows.length, known >= 0 ? 1 : 0, row);
  writeFileSync(values.output, `${JSON.stringify({ rows }, null, 2)}\n`);
  const { validPerplexity, testPerplexity, epochs, wallSeconds } = row;
  console.log(
    `${JSON.stringify(recipe)}: valid ${validPerplexity.toFixed(1)}, test ${testPerplexity?.toFixed(1) ?? '–'}, ${epochs.toFixed(1)} epochs, ${wallSeconds.toFixed(0)} s`,
  );
}

type Recipe = { readonly training?: object };
/** What a training came to. */
type Figures = Omit<TimeRow, keyof ReturnType<typeof describeRun> | 'budgetSeconds' | 'recipe' | 'seed'>;

async function trainGatelm(recipe: Recipe, seed: number): Promise<Figures> {
  const body = bodyOf(recipe, seed);
  const { seconds: wallSeconds, events } = await inDataDirectory((source) =>
    trainHere(body, source, 'runs/1', values.keep ? { resume: true, follow: printEpoch } : {}),
  );
  const { parameterCount, stepsPerEpoch } = lastOf(events, 'started');
  const { steps = 0, seconds, validPerplexity, testPerplexity } = lastOf(events, 'succeeded');
  if (validPerplexity === null) throw new Error(`${JSON.stringify(recipe)}: no perplexity of valid`);
  return {
    parameterCount,
    steps,
    epochs: steps / stepsPerEpoch,
    tokensPerSecond: lastOf(events, 'epoch').tokensPerSecond,
    seconds,
    wallSeconds,
    validPerplexity,
    testPerplexity: values.test ? testPerplexity : null,
  };
}

async function trainPeer(recipe: Recipe & { readonly secondBias?: boolean }, seed: number): Promise<Figures> {
  const { secondBias = false, ...ofBoth } = recipe;
  const config = resolveExperimentInput(bodyOf(ofBoth, seed));
  const { threads } = (await loadBackend()).report;
  const training = { config, threads, secondBias, isTested: values.test };
  const begin = performance.now();
  const { started, evaluations, ended } = await inDataDirectory((source) => trainPytorch(training, source));
  return {
    program: 'pytorch',
    mode: started.mode,
    parameterCount: started.parameterCount,
    steps: ended.step,
    epochs: ended.epoch,
    tokensPerSecond: evaluations.at(-1)!.tokensPerSecond ?? 0,
    seconds: ended.seconds,
    wallSeconds: (performance.now() - begin) / 1000,
    validPerplexity: ended.validPerplexity,
    testPerplexity: ended.testPerplexity,
  };
}

function bodyOf(recipe: Recipe, seed: number) {
  return { ...recipe, corpus: 'ptb', budget: values.budget, training: { ...recipe.training, seed } };
}

function printEpoch(event: TrainingEvent): void {
  if (event.type === 'epoch') console.log(JSON.stringify(event.data));
}

/** Gives a text's source with a data directory that does not outlive the call, unless it is to be kept. */
function inDataDirectory<Result>(use: (source: FileSource) => Promise<Result>): Promise<Result> {
  const mirror = process.env.GATELM_CORPORA_MIRROR ?? null;
  return withScope((scope) => {
    const dataDirectory = values.keep ? resolve(values.keep) : scopedFolder(scope);
    return use({ dataDirectory, mirror });
  });
}

function table(): string {
  const lines = [...rows]
    .sort((a, b) => a.budgetSeconds - b.budgetSeconds || a.validPerplexity - b.validPerplexity)
    .map(
      ({
        program = 'gatelm',
        budgetSeconds,
        recipe,
        seed,
        epochs,
        wallSeconds,
        validPerplexity,
        testPerplexity,
      }) =>
        `| ${budgetSeconds} s | ${program} | \`${JSON.stringify(recipe)}\` | ${seed} | ${epochs.toFixed(1)} | ${wallSeconds.toFixed(0)} s | ${validPerplexity.toFixed(1)} | ${testPerplexity?.toFixed(1) ?? '–'} |`,
    );
  return [
    '| budget | program | recipe | seed | epochs | with all | valid | test |',
    '|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
