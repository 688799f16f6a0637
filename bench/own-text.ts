/**
 * What the preset `auto` makes of texts of many kinds in a given time, beside compressors, recipes drawn at random (each with
 * the same time), and PyTorch with char-rnn's defaults. All are judged by bits per byte of blocks of the text that none has seen.
 *
 *     GATELM_CORPORA_MIRROR=FOLDER node dist/bench/own-text.js --budget 2m --trials 4
 *     node dist/bench/own-text.js --budget 30s --text jigs --text dna --output other.json
 *     node dist/bench/own-text.js --trials 0 --vary '{"optimizer":{"learningRate":0.006}}' --output search.json
 *     node dist/bench/own-text.js --table
 *
 * With --vary `auto` is trained again with those settings instead of its own: how its rules are searched.
 *
 * Goes on where it was stopped: what results/own-text.json has is not trained again. The Python to use is
 * GATELM_BENCH_PYTHON, else python3.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { Budget, secondsOf } from '../src/contracts/budget.js';
import { StagedUpload } from '../src/corpora/staged-upload.js';
import { storedCorporaFolder } from '../src/corpora/uploaded-corpora.js';
import { compress } from './compressors.js';
import { OwnTextRecord, type TextRow, type Trained } from './own-text-record.js';
import { ownTextTable } from './own-text-table.js';
import { OWN_TEXTS, type OwnText } from './own-texts.js';
import { drawRecipe, experimentOf } from './random-recipe.js';
import { describeRun } from './run-record.js';
import { torchPython } from './torch-python.js';

const MAX_TEXT_BYTES = 1 << 30;
const SAMPLE_CHARACTERS = 400;
const THREADS = '2';
const run = promisify(execFile);

const { values } = parseArgs({
  options: {
    budget: { type: 'string', default: '2m' },
    trials: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    text: { type: 'string', multiple: true },
    vary: { type: 'string', multiple: true, default: [] },
    output: { type: 'string', default: 'results/own-text.json' },
    table: { type: 'boolean', default: false },
  },
});
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

async function tryText(text: OwnText, content: string, seconds: number, python: string | null) {
  const seed = Number(values.seed);
  const dataDirectory = mkdtempSync(join(tmpdir(), 'gatelm-own-text-'));
  try {
    const files = await store(dataDirectory, text.name, content);
    const row = record.find(text.name, seconds, seed) ?? record.add(newRow(text, files, seconds, seed));
    record.save();
    const keep = (who: string, trained: Trained | null) => {
      record.save();
      const figure = trained ? trained.testBitsPerByte.toFixed(3) : 'not available';
      console.log(`${text.name}, ${values.budget}, ${who}: ${figure}`);
    };
    const train = (body: object) =>
      trainGatelm({ dataDirectory, corpus: text.name, body, sampleTokens: SAMPLE_CHARACTERS });
    const auto = { preset: 'auto', budget: values.budget, training: { seed } };
    if (!row.auto) {
      row.auto = await train(auto);
      keep('auto', row.auto);
    }
    for (const change of values.vary) {
      row.varied ??= {};
      if (row.varied[change]) continue;
      const { training, ...others } = JSON.parse(change);
      row.varied[change] = await train({ ...others, ...auto, training: { ...training, seed } });
      keep(`auto with ${change}`, row.varied[change]);
    }
    if (row.charRnn === undefined) {
      row.charRnn = python ? await trainCharRnn(python, { ...files, seconds, seed }) : null;
      keep('PyTorch', row.charRnn);
    }
    for (let number = 1; number <= Number(values.trials); number++) {
      if (row.random[number]) continue;
      const recipe = drawRecipe(seed, number, row.bytes.train);
      row.random[number] = await train(experimentOf(recipe, seconds, seed));
      keep(`random recipe ${number}`, row.random[number]!);
    }
  } finally {
    rmSync(dataDirectory, { recursive: true });
  }
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

function newRow({ name, about }: OwnText, files: SplitFiles, budgetSeconds: number, seed: number): TextRow {
  const [train, valid, test] = [files.train, files.valid, files.test].map((path) => readFileSync(path));
  return {
    text: name,
    about,
    budgetSeconds,
    seed,
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
  const body = { ...request, threads: Number(THREADS), sampleBytes: SAMPLE_CHARACTERS };
  return jsonOf(python, [program, JSON.stringify(body)]);
}

/** Runs a program. @returns the last line that it prints */
async function jsonOf(command: string, args: string[]): Promise<Trained> {
  const { loadAtStart, ...rest } = describeRun();
  const env = {
    ...process.env,
    GATELM_THREADS: THREADS,
    TF_NUM_INTRAOP_THREADS: THREADS,
    TF_CPP_MIN_LOG_LEVEL: '2',
  };
  const { stdout } = await run(command, args, { env, maxBuffer: 1 << 26 });
  const trained = JSON.parse(stdout.trim().split('\n').at(-1)!);
  const sample = [...String(trained.sample)].slice(0, SAMPLE_CHARACTERS).join('');
  return { ...trained, sample, ...rest, load: { before: loadAtStart, after: describeRun().loadAtStart } };
}
