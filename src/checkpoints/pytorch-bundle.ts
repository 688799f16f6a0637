/**
 * A model in PyTorch's format, three files:
 *
 *     model.safetensors     the weights under PyTorch's names, see pytorch-names.ts
 *     config.json           sizes, tying, dropout and what it was trained on, as in a model folder
 *     tokenizer.json        Hugging Face's tokenizers
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { appError } from '../errors.js';
import { writeDurably } from '../files/durable-file.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { parseTokenizerJson } from '../tokenizers/tokenizer-json.js';
import { hostWeightsDigest } from '../training/weights-digest.js';
import { describeModel, ModelDescription } from './model-folder.js';
import { exportToPyTorch, type PyTorchExportOptions } from './pytorch-export.js';
import { importFromPyTorch, type PyTorchModel } from './pytorch-import.js';
import { nameAsWordLanguageModel } from './pytorch-tensor-names.js';
import { parseVocabularyLines } from './pytorch-vocabulary.js';
import { decodeSafetensors, encodeSafetensors, type HostTensor } from './safetensors.js';

const MODEL = 'model.safetensors';
const CONFIG = 'config.json';
const TOKENIZER = 'tokenizer.json';
/** In a model folder: the weights under gatelm's names. */
const WEIGHTS = 'weights.safetensors';

/** The files of a bundle by name. */
export type PyTorchBundle = ReadonlyMap<string, Uint8Array>;

/**
 * The bundle of a trained model.
 * @param modelFolder `<experiment>/model`
 * @throws checkpoint-corrupt, tensor-mismatch
 */
export function exportModelFolder(modelFolder: string, options: PyTorchExportOptions): PyTorchBundle {
  const config = read(modelFolder, CONFIG);
  const description = parseDescription(config);
  const { tensors, metadata } = decodeSafetensors(read(modelFolder, WEIGHTS), WEIGHTS);
  expectDigest(tensors, metadata.digest);
  const exported = exportToPyTorch(tensors, description.model, options);
  return new Map([
    [MODEL, encodeSafetensors(exported, { format: 'pt' })], // what Hugging Face's loaders ask for
    [CONFIG, config],
    [TOKENIZER, read(modelFolder, TOKENIZER)],
  ]);
}

/** Writes a bundle into a folder. @throws out-of-disk, write-failed */
export function writePyTorchBundle(folder: string, bundle: PyTorchBundle): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of bundle) writeDurably(join(folder, name), bytes);
}

/** What is imported: the weights, one of the two vocabularies, and what is known beyond them. */
export interface PyTorchImport {
  /** A safetensors file under PyTorch's names. */
  readonly model: Uint8Array;
  /** Hugging Face's tokenizer.json. */
  readonly tokenizer?: Uint8Array | string | undefined;
  /** One token a line, in the order of the ids; read when there is no tokenizer. */
  readonly vocabulary?: Uint8Array | string | undefined;
  /** A config.json as an export has it, or a part of it: the sizes must agree with the tensors, the rest is taken. */
  readonly config?: Uint8Array | string | undefined;
}

/** An imported model, checked as a whole. */
export interface ImportedModel {
  readonly description: ModelDescription;
  readonly tokenizer: Tokenizer;
  /** By gatelm's names. */
  readonly weights: ReadonlyMap<string, HostTensor>;
  /** SHA-256 over the weights, as a training's. */
  readonly digest: string;
  /** Trainable parameters; a tied table counts once. */
  readonly parameterCount: number;
}

/**
 * Reads a model that PyTorch trained.
 * @param files from anyone: all is checked
 * @throws checkpoint-corrupt, tensor-mismatch, tokenizer-invalid
 */
export function importPyTorchModel(files: PyTorchImport): ImportedModel {
  const { tensors, metadata } = decodeSafetensors(Buffer.from(files.model), MODEL);
  const imported = importFromPyTorch(nameAsWordLanguageModel(tensors, metadata));
  const { vocabularySize } = imported;
  const tokenizer = readTokenizer(files);
  const tokens = tokenizer.vocabulary.size;
  if (tokens !== vocabularySize) {
    throw appError('tensor-mismatch', {
      tensor: 'encoder.weight',
      expected: `${tokens} rows, one per token of the vocabulary`,
      actual: `${vocabularySize}`,
    });
  }
  const description = describe(imported, files.config);
  const weights = new Map(imported.weights);
  if (imported.modelConfig.tieWeights && !description.model.tieWeights)
    weights.set('output.w', weights.get('embedding.table')!);
  const parameterCount = [...weights.values()].reduce((total, { values }) => total + values.length, 0);
  return { description, tokenizer, weights, digest: hostWeightsDigest(weights), parameterCount };
}

/** The files of a bundle's folder; the vocabulary may be `vocabulary.txt` or `vocab.txt` instead of a tokenizer.json. */
export function readPyTorchBundle(folder: string): PyTorchImport {
  const vocabulary = readIfThere(folder, 'vocabulary.txt') ?? readIfThere(folder, 'vocab.txt');
  return {
    model: read(folder, MODEL),
    tokenizer: readIfThere(folder, TOKENIZER),
    vocabulary,
    config: readIfThere(folder, CONFIG),
  };
}

/**
 * Writes an imported model into the folder that models are served from.
 * @param modelFolder `<experiment>/model`
 * @throws out-of-disk, write-failed
 */
export function writeImportedModel(
  modelFolder: string,
  { description, tokenizer, weights, digest }: ImportedModel,
): void {
  describeModel(modelFolder, description, tokenizer);
  writeDurably(join(modelFolder, WEIGHTS), encodeSafetensors(weights, { digest }));
}

const PartialDescription = ModelDescription.omit({ model: true })
  .partial()
  .extend({ model: z.record(z.string(), z.unknown()).default({}) });

/** The description of what the tensors show, completed by what a config says, where it does not contradict them. */
function describe(
  { modelConfig, vocabularySize }: PyTorchModel,
  config: PyTorchImport['config'],
): ModelDescription {
  const { cell, embeddingSize, hiddenSizes, tieWeights } = modelConfig;
  const sizes = { cell, embeddingSize, hiddenSizes, tieWeights };
  const given = config === undefined ? { model: {} } : parseConfig(PartialDescription, config);
  const description = parseConfig(
    ModelDescription,
    JSON.stringify({
      version: 1,
      vocabularySize,
      precision: 'float32',
      corpus: 'unknown',
      ...given,
      model: { ...sizes, ...given.model },
    }),
  );
  const { model } = description;
  const layers = hiddenSizes.map((size, layer) => ({ layer, size, said: model.hiddenSizes[layer] }));
  const other = layers.find(({ size, said }) => size !== said);
  expectSaid('model.cell', JSON.stringify(cell), JSON.stringify(model.cell));
  expectSaid('vocabularySize', vocabularySize, description.vocabularySize);
  expectSaid('model.embeddingSize', embeddingSize, model.embeddingSize);
  expectSaid('the length of model.hiddenSizes', hiddenSizes.length, model.hiddenSizes.length);
  if (other) expectSaid(`model.hiddenSizes[${other.layer}]`, other.size, other.said);
  if (model.tieWeights && !tieWeights) expectSaid('model.tieWeights', false, true);
  return description;
}

function expectSaid(field: string, actual: unknown, said: unknown): void {
  if (actual === said) return;
  throw appError('tensor-mismatch', {
    tensor: MODEL,
    expected: `${field} ${said}, as ${CONFIG} says`,
    actual: `${actual}`,
  });
}

function readTokenizer({ tokenizer, vocabulary }: PyTorchImport): Tokenizer {
  if (tokenizer !== undefined) return parseTokenizerJson(tokenizer);
  if (vocabulary !== undefined) return parseVocabularyLines(vocabulary);
  const reason = 'there is neither a tokenizer nor a vocabulary with one token per line';
  throw appError('tokenizer-invalid', { file: TOKENIZER, reason });
}

function expectDigest(weights: ReadonlyMap<string, HostTensor>, expected: string | undefined): void {
  const actual = hostWeightsDigest(weights);
  if (expected === undefined || actual === expected) return;
  const reason = `its weights have SHA-256 ${actual}, expected ${expected}`;
  throw appError('checkpoint-corrupt', { file: WEIGHTS, reason });
}

function parseDescription(json: Uint8Array): ModelDescription {
  return parseConfig(ModelDescription, json);
}

function parseConfig<Schema extends z.ZodType>(schema: Schema, json: Uint8Array | string): z.output<Schema> {
  try {
    const text = typeof json === 'string' ? json : Buffer.from(json).toString('utf8');
    return schema.parse(JSON.parse(text.replace(/^\ufeff/, '')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw appError('checkpoint-corrupt', { file: CONFIG, reason }, error);
  }
}

function read(folder: string, file: string): Buffer {
  try {
    return readFileSync(join(folder, file));
  } catch (error) {
    throw appError('checkpoint-corrupt', { file: basename(file), reason: (error as Error).message }, error);
  }
}

function readIfThere(folder: string, file: string): Buffer | undefined {
  try {
    return readFileSync(join(folder, file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw appError('checkpoint-corrupt', { file, reason: (error as Error).message }, error);
  }
}
