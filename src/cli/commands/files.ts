import { createWriteStream, existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { GatelmError } from '../../client/client.js';
import { integer } from '../progress-display.js';
import { clientOf, print, type ServerOptions, withServer } from '../server-command.js';
import { table } from '../terminal.js';
import { filesOfTar, openFile } from './open-file.js';

type ImportOptions = ServerOptions & {
  readonly name?: string;
  readonly tokenizer?: string;
  readonly vocabulary?: string;
  readonly config?: string;
};

type ExportOptions = ServerOptions & {
  readonly archive?: string;
  readonly curves?: string;
  readonly tensorboard?: string;
  readonly checkpoints: boolean;
};

/** export, import and corpora: the commands that transfer files. */
export function addFileCommands(program: Command): void {
  withServer(program.command('export <experiment> [file]'))
    .description(
      'Write a trained model as a .tar for PyTorch (default: ID.tar), or the whole run, or its curves',
    )
    .option('--archive <file>', 'instead: the whole record of the run as a .zip that another gatelm imports')
    .option('--no-checkpoints', 'with --archive: without its checkpoints')
    .option('--curves <file>', 'instead: its curves, as CSV or JSON Lines by the ending .csv or .jsonl')
    .option(
      '--tensorboard <folder>',
      'instead: its curves for TensorBoard, in a folder of their own below this one',
    )
    .action(exportRun);
  withServer(program.command('import <model>'))
    .description(
      'Import a .tar of export, a folder of train --local, safetensors with PyTorch’s names, or a .zip of a whole run',
    )
    .option('--name <name>', 'name of the experiment; default: the name of the file')
    .option('--tokenizer <file>', 'tokenizer.json of Hugging Face’s tokenizers')
    .option('--vocabulary <file>', 'instead of --tokenizer: one token per line')
    .option('--config <file>', 'config.json, as in an export')
    .action(async (model: string, options: ImportOptions) => {
      if (extname(model) === '.zip') {
        const run = await clientOf(options).importArchive(await openFile(model));
        return print(options, run, () => `${run.id} ${run.state}: ${run.name}`);
      }
      const { tokenizer, vocabulary, config } = options;
      const files = { ...(await filesOf(model)), ...(await opened({ tokenizer, vocabulary, config })) };
      const name = options.name ?? basename(resolve(model)).replace(/\.(safetensors|tar)$/, '');
      const imported = await clientOf(options).importModel(name, files as never);
      print(options, imported, () => `${imported.id} ${imported.state}: ${imported.name}`);
    });
  const corpora = program.command('corpora').description('Texts to train on');
  withServer(corpora.command('list', { isDefault: true }))
    .description('List the corpora')
    .action(async (options: ServerOptions) => {
      const answer = await clientOf(options).listCorpora();
      print(options, answer, () =>
        table([
          ['name', 'kind', 'bytes', 'on disk'],
          ...answer.items.map(({ name, kind, bytes, available }) => [
            name,
            kind,
            bytes === null ? '–' : integer(bytes),
            available ? 'yes' : 'no',
          ]),
        ]),
      );
    });
  withServer(corpora.command('show <name>'))
    .description('Show the statistics and the beginning of a corpus')
    .action(async (name: string, options: ServerOptions) => {
      const client = clientOf(options);
      const corpus = await client.getCorpus(name);
      const { text } = corpus.available
        ? await client.previewCorpus(name, 'train', 400)
        : { text: '(not downloaded yet)' };
      print(options, corpus, () => `${corpus.name}: ${corpus.description}\n\n${text}`);
    });
  withServer(corpora.command('upload <name> <file>'))
    .description('Upload a text')
    .action(async (name: string, file: string, options: ServerOptions) => {
      const corpus = await clientOf(options).uploadCorpus(name, { file: await openFile(file) });
      print(options, corpus, () => `${corpus.name}: ${integer(corpus.bytes ?? 0)} bytes`);
    });
  withServer(corpora.command('delete <name>'))
    .description('Delete an uploaded corpus')
    .action(async (name: string, options: ServerOptions) => {
      await clientOf(options).deleteCorpus(name);
      print(options, { deleted: name }, () => `deleted ${name}`);
    });
}

async function exportRun(id: string, file: string | undefined, options: ExportOptions): Promise<void> {
  const client = clientOf(options);
  const { archive, curves, tensorboard, checkpoints } = options;
  const written: string[] = [];
  const write = async (target: string, bytes: Promise<ReadableStream<Uint8Array>>) => {
    const source = Readable.fromWeb((await bytes) as never);
    await pipeline(source, createWriteStream(target, { flags: 'wx' })).catch(
      (error: NodeJS.ErrnoException) => {
        throw new GatelmError(400, {
          detail:
            error.code === 'EEXIST'
              ? `${target} already exists; delete it, or name another file`
              : `${target} cannot be written: ${error.message}`,
        });
      },
    );
    written.push(target);
  };
  if (archive !== undefined) await write(archive, client.exportArchive(id, { checkpoints }));
  if (curves !== undefined) await write(curves, client.exportMetrics(id, formatOf(curves)));
  if (tensorboard !== undefined) {
    const folder = join(tensorboard, id);
    mkdirSync(folder, { recursive: true });
    await write(join(folder, `events.out.tfevents.0000000000.${id}`), client.exportTensorBoard(id));
  }
  if (file !== undefined || written.length === 0) await write(file ?? `${id}.tar`, client.exportModel(id));
  print(options, { files: written }, () => written.join('\n'));
}

function formatOf(file: string): 'csv' | 'jsonl' {
  const ending = extname(file);
  if (ending === '.csv' || ending === '.jsonl') return ending === '.csv' ? 'csv' : 'jsonl';
  throw new GatelmError(400, { detail: `--curves ends with .csv or .jsonl; got ${file}` });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

const MODEL_FILES = {
  model: 'model.safetensors',
  tokenizer: 'tokenizer.json',
  vocabulary: 'vocabulary.txt',
  config: 'config.json',
} as const;

/** What a folder, an archive or a single file has of a model. */
async function filesOf(path: string): Promise<Record<string, Blob>> {
  if (extname(path) === '.tar') {
    const archive = await filesOfTar(path);
    return Object.fromEntries(
      Object.entries(MODEL_FILES).flatMap(([kind, name]) => {
        const file = archive.get(name);
        return file ? [[kind, file]] : [];
      }),
    );
  }
  if (!isFolder(path)) return opened({ model: path });
  const inFolder = Object.entries(MODEL_FILES).map(([kind, name]) => [kind, join(path, name)] as const);
  return opened(Object.fromEntries(inFolder.filter(([, file]) => existsSync(file))));
}

async function opened(files: Readonly<Record<string, string | undefined>>): Promise<Record<string, Blob>> {
  const given = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(
    await Promise.all(given.map(async ([kind, file]) => [kind, await openFile(file)] as const)),
  );
}
