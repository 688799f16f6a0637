import { parseJson } from './parse-json.js';

/** Options of `train` that define the experiment. */
export interface TrainBodyOptions {
  readonly preset?: string;
  readonly corpus?: string;
  readonly file?: string;
  readonly budget?: string;
  readonly epochs?: number;
  readonly seed?: number;
  readonly name?: string;
  readonly tag?: string[];
  readonly config: string;
}

/** The body of POST /experiments for the options. @param corpus replaces that of the options: the name of the stored file */
export async function trainBody(
  { preset, budget, epochs, seed, name, tag, config }: TrainBodyOptions,
  corpus: string | undefined,
): Promise<Record<string, unknown>> {
  const rest = parseJson(config === '-' ? await readStdin() : config, '--config');
  const training = {
    ...(rest.training as object | undefined),
    ...(epochs !== undefined && { epochs }),
    ...(seed !== undefined && { seed }),
  };
  return {
    ...rest,
    ...(Object.keys(training).length > 0 && { training }),
    ...(preset !== undefined && { preset }),
    ...(corpus !== undefined && { corpus }),
    ...(budget !== undefined && { budget }),
    ...(name !== undefined && { name }),
    ...(tag !== undefined && { tags: tag }),
  };
}

async function readStdin(): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}
