/**
 * Trains one recipe with the library and records its learning curve in results/: config, seed, commit, machine, curve.
 * Goes on from its last checkpoint when it was stopped; `sittings` of the record says where.
 *
 *     node dist/bench/record-curve.js '{"preset":"rnnlm","corpus":"ptb"}' rnnlm-ptb
 *
 * `GATELM_CORPORA_MIRROR` says where the text is; checkpoints go to `GATELM_DATA_DIR`/curves/NAME (default ./data).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import type { TrainingEvent } from '../src/contracts/events.js';
import type { Provenance } from '../src/contracts/provenance.js';
import { resolveExperimentInput } from '../src/contracts/resolve-config.js';
import { openTrainer } from './open-trainer.js';

const [body, name] = process.argv.slice(2);
if (!body || !name) throw new Error('usage: record-curve.js CONFIG_JSON NAME');
const config = resolveExperimentInput(JSON.parse(body));
const dataDirectory = resolve(process.env.GATELM_DATA_DIR ?? 'data');
const folder = join(dataDirectory, 'curves', name);

const source = { dataDirectory, mirror: process.env.GATELM_CORPORA_MIRROR ?? null };
mkdirSync(folder, { recursive: true });
const { trainer, report, provenance } = await openTrainer(config, source, folder);

const path = join('results', `${name}.json`);
let record: Recorded = { curve: [], sittings: [], test: null };
for await (const event of trainer.run(() => null)) {
  if (event.type === 'started') record = begin(event.data.resumedFrom?.epoch ?? 0);
  if (event.type !== 'epoch' && event.type !== 'succeeded') continue;
  console.log(JSON.stringify(event.data));
  note(event);
  save();
}

type EpochPoint = Pick<
  Extract<TrainingEvent, { type: 'epoch' }>['data'],
  'epoch' | 'trainPerplexity' | 'validPerplexity' | 'learningRate' | 'tokensPerSecond' | 'seconds'
>;

interface Recorded {
  readonly curve: EpochPoint[];
  readonly sittings: {
    readonly fromEpoch: number;
    readonly date: string;
    readonly commit: string | null;
    readonly provenance?: Provenance;
  }[];
  test: object | null;
}

/** A sitting that goes on from an epoch keeps what earlier ones have recorded up to it. */
function begin(fromEpoch: number): Recorded {
  const before: Recorded =
    fromEpoch > 0 && existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { curve: [], sittings: [] };
  return {
    curve: before.curve.filter(({ epoch }) => epoch <= fromEpoch),
    sittings: [
      ...before.sittings,
      { fromEpoch, date: new Date().toISOString(), commit: provenance.commit, provenance },
    ],
    test: null,
  };
}

function note(event: Extract<TrainingEvent, { type: 'epoch' | 'succeeded' }>): void {
  if (event.type === 'succeeded') {
    const { testPerplexity: perplexity, digest, seconds } = event.data;
    record.test = { perplexity, digest, seconds };
    return;
  }
  const { epoch, trainPerplexity, validPerplexity, learningRate, tokensPerSecond, seconds } = event.data;
  record.curve.push({ epoch, trainPerplexity, validPerplexity, learningRate, tokensPerSecond, seconds });
}

function save(): void {
  const { name: _, tags, notes, priority, ...recipe } = config;
  const { sittings, curve, test } = record;
  const machine = { ...report, processors: cpus().length };
  writeFileSync(
    path,
    `${JSON.stringify({ name, sittings, machine, config: recipe, curve, test }, null, 2)}\n`,
  );
}
