/**
 * What the preset `auto` makes of texts of many kinds in a given time, beside compressors, recipes drawn at random (each with
 * the same time), and PyTorch with char-rnn's defaults. All are judged by bits per byte of blocks of the text that none has seen.
 *
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/own-text.js --budget 2m --trials 4
 *     node dist/bench/own-text.js --budget 2m --trials 30 --threads 1
 *     node dist/bench/own-text.js --budget 30s --text jigs --text dna --output other.json
 *     node dist/bench/own-text.js --trials 0 --vary '{"optimizer":{"learningRate":0.006}}' --output search.json
 *     node dist/bench/own-text.js --table
 *
 * With --vary `auto` is trained again with those settings instead of its own: how its rules are searched.
 *
 * --threads is that of each training, two if it is not given: as many trainings run at a time as the cores have room for.
 *
 * Goes on where it was stopped: what results/own-text.json has is not trained again. The Python to use is
 * GATELM_BENCH_PYTHON, else python3.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { Budget, secondsOf } from '../src/contracts/budget.js';
import { StagedUpload } from '../src/corpora/staged-upload.js';
import { storedCorporaFolder } from '../src/corpora/uploaded-corpora.js';
import { compress } from './compressors.js';
import { OwnTextRecord, type RowKey, type TextRow, type Trained } from './own-text-record.js';
import { ownTextTable } from './own-text-table.js';
import { OWN_TEXTS, type OwnText } from './own-texts.js';
import { drawRecipe, experimentOf } from './random-recipe.js';
import { describeRun } from './run-record.js';
import { scopedFolder, withScope } from './scope.js';
import { torchPython } from './torch-python.js';

const MAX_TEXT_BYTES = 1 << 30;
const SAMPLE_CHARACTERS = 400;
const runProgram = promisify(execFile);

const { values } = parseArgs({
  options: {
    budget: { type: 'string', default: '2m' },
    trials: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    text: { type: 'string', multiple: true },
    vary: { type: 'string', multiple: true, default: [] },
    output: { type: 'string', default: 'results/own-text.json' },
    table: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const threads = Number(values.threads);
const concurrentTrainings = Math.max(1, Math.floor(availableParallelism() / threads));
const record = new OwnTextRecord(values.output);
if (values.table) console.log(ownTextTable(record.rows));
else await tryTexts();

async function tryTexts(): Promise<void> {
  const seconds = secondsOf(Budget.parse(values.budget));
  const unknown = values.text?.find((name) => !OWN_TEXTS.some((text) => text.name === name));
  if (unknown)
    throw new Error(`no text ${unknown}; there are ${OWN_TEXTS.map(({ name }) => name).join(', ')}`);
  const { python, unavailable } = torchPython();
  if (unavailable) console.log(`without PyTorch: ${unavailable}`);
  for (const text of OWN_TEXTS) {
    if (values.text && !values.text.includes(text.name)) continue;
    const content = text.read();
    if (content === null) console.log(`${text.name}: not on this machine`);
    else await tryText(text, content, seconds, unavailable ? null : python);
  }
}

async function tryText(text: OwnText, content: string, budgetSeconds: number, python: string | null) {
  await withScope(async (scope) => {
    const dataDirectory = scopedFolder(scope);
    const files = await store(dataDirectory, text.name, content);
    const key = { text: text.name, budgetSeconds, seed, threads };
    const row = record.find(key) ?? record.add(newRow(key, text, files));
    const train = (body: object) =>
      trainGatelm({ dataDirectory, corpus: text.name, body, sampleTokens: SAMPLE_CHARACTERS });
    const trainings = trainingsOf(row, { train, python, files });
    record.save();
    await atATime(concurrentTrainings, trainings, async ({ who, run, keep }) => {
      const trained = await run();
      keep(trained);
      record.save();
      console.log(`${text.name}, ${values.budget}, ${who}: ${trained.testBitsPerByte.toFixed(3)}`);
    });
  });
}

interface Training {
  readonly who: string;
  run(): Promise<Trained>;
  /** Puts what came of it into the row. */
  keep(trained: Trained): void;
}

interface TrainingTools {
  train(body: object): Promise<Trained>;
  readonly python: string | null;
  readonly files: SplitFiles;
}

/** The trainings that a row does not have yet. */
function trainingsOf(row: TextRow, { train, python, files }: TrainingTools): Training[] {
  const trainings: Training[] = [];
  const add = (who: string, body: object, keep: Training['keep']) =>
    trainings.push({ who, run: () => train(body), keep });
  const auto = { preset: 'auto', budget: values.budget, training: { seed } };
  if (!row.auto)
    add('auto', auto, (trained) => {
      row.auto = trained;
    });
  for (const change of values.vary) {
    if (row.varied?.[change]) continue;
    const { training, ...others } = JSON.parse(change);
    add(`auto with ${change}`, { ...others, ...auto, training: { ...training, seed } }, (trained) => {
      row.varied = { ...row.varied, [change]: trained };
    });
  }
  if (!python) row.charRnn ??= null;
  else if (!row.charRnn)
    trainings.push({
      who: 'PyTorch',
      run: () => trainCharRnn(python, { ...files, seconds: row.budgetSeconds, seed }),
      keep: (trained) => {
        row.charRnn = trained;
      },
    });
  for (let number = 1; number <= Number(values.trials); number++) {
    if (row.random[number]) continue;
    const body = experimentOf(drawRecipe(seed, number, row.bytes.train), row.budgetSeconds, seed);
    add(`random recipe ${number}`, body, (trained) => {
      row.random[number] = trained;
    });
  }
  return trainings;
}

/** Begins the tasks in their order, `count` at a time. */
async function atATime<Task>(count: number, tasks: readonly Task[], run: (task: Task) => Promise<void>) {
  const waiting = [...tasks];
  const worker = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift()) await run(task);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

type SplitFiles = Readonly<Record<'train' | 'valid' | 'test', string>>;

/** Stores a text as an upload, which cuts it into splits. */
async function store(dataDirectory: string, name: string, content: string): Promise<SplitFiles> {
  const upload = await StagedUpload.begin(dataDirectory, MAX_TEXT_BYTES);
  await upload.receive('whole', [Buffer.from(content)]);
  const { id } = await upload.publish({ name });
  await upload.discard();
  const path = (split: string) => join(storedCorporaFolder(dataDirectory), id, `${split}.txt`);
  return { train: path('train'), valid: path('valid'), test: path('test') };
}

function newRow(key: RowKey, { about }: OwnText, files: SplitFiles): TextRow {
  const [train, valid, test] = [files.train, files.valid, files.test].map((path) => readFileSync(path));
  return {
    ...key,
    about,
    bytes: { train: train!.length, valid: valid!.length, test: test!.length },
    compressors: compress(train!, test!),
    random: {},
  };
}

async function trainGatelm(request: object): Promise<Trained> {
  const program = fileURLToPath(new URL('./own-text-train.js', import.meta.url));
  return jsonOf(process.execPath, [program, JSON.stringify(request)]);
}

async function trainCharRnn(python: string, request: object): Promise<Trained> {
  const program = fileURLToPath(new URL('../../bench/peers/pytorch_char_rnn.py', import.meta.url));
  const body = { ...request, threads, sampleBytes: SAMPLE_CHARACTERS };
  return jsonOf(python, [program, JSON.stringify(body)]);
}

/** Runs a program. @returns the last line that it prints */
async function jsonOf(command: string, args: string[]): Promise<Trained> {
  const { loadAtStart, ...rest } = describeRun();
  const env = {
    ...process.env,
    GATELM_THREADS: values.threads,
    TF_NUM_INTRAOP_THREADS: values.threads,
    TF_CPP_MIN_LOG_LEVEL: '2',
  };
  const { stdout } = await runProgram(command, args, { env, maxBuffer: 1 << 26 });
  const trained = JSON.parse(stdout.trim().split('\n').at(-1)!);
  const sample = [...String(trained.sample)].slice(0, SAMPLE_CHARACTERS).join('');
  return { ...trained, sample, ...rest, load: { before: loadAtStart, after: describeRun().loadAtStart } };
}
