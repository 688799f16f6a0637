import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { ScoreResult } from '../../client/client.js';
import { decimal, integer } from '../progress-display.js';
import { clientOf, print, type ServerOptions, withServer } from '../server-command.js';
import { isColourful, paint, table } from '../terminal.js';
import { readText } from './open-file.js';
import { parseNumber } from './parse-number.js';

interface GenerateOptions extends ServerOptions {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stop?: string[];
  readonly chat?: boolean;
}

/** generate, score, rank, evaluate, inspect: the uses of a trained model. Default experiment: the best one. */
export function addTextCommands(program: Command): void {
  withServer(program.command('generate [experiment]'))
    .description('Generate text, printed while it is generated')
    .option('--prompt <text>', 'text to continue', '')
    .option('--max-tokens <number>', 'maximum number of tokens', parseNumber, 100)
    .option('--temperature <number>', 'below 1 more conservative, above 1 more diverse', parseNumber)
    .option('--top-k <number>', 'sample from the k most likely tokens', parseNumber)
    .option(
      '--top-p <number>',
      'sample from the most likely tokens whose probabilities add up to this',
      parseNumber,
    )
    .option('--seed <number>', 'the same seed gives the same text', parseNumber)
    .option('--stop <text...>', 'stop before one of these strings')
    .option('--chat', 'interactive: each line you type is appended to the text and the model continues it')
    .action(generate);
  withServer(program.command('score <file> [experiment]'))
    .description('Score a text: bits per byte, and the surprisal of each token; - reads standard input')
    .action(score);
  withServer(program.command('inspect <file> [experiment]'))
    .description('Like score, with the most likely tokens at each position')
    .action(inspect);
  withServer(program.command('rank <prompt> <alternatives...>'))
    .description('Rank alternative continuations of a prompt by probability')
    .option('--experiment <id>', 'default: the best one')
    .action(rank);
  withServer(program.command('evaluate <experiment>'))
    .description('Evaluate a model on a split of a corpus')
    .option('--split <split>', 'train, valid or test', 'test')
    .option('--corpus <name>', 'default: the one it was trained on')
    .option('--cache', 'with a continuous cache')
    .option('--dynamic', 'with dynamic evaluation')
    .action(evaluate);
}

async function generate(experiment: string | undefined, options: GenerateOptions): Promise<void> {
  const client = clientOf(options);
  if (options.chat) return chat(experiment, options);
  const body = { experiment, prompt: options.prompt, ...samplingOf(options) };
  if (options.json) return print(options, await client.generate(body), () => '');
  let before = paint('dim', options.prompt); // written with the first text, so that an error stands alone
  for await (const text of client.streamText(body)) {
    process.stdout.write(before + text);
    before = '';
  }
  process.stdout.write(`${before}\n`);
}

/** A text that the user and the model write in turns. */
async function chat(experiment: string | undefined, options: GenerateOptions): Promise<void> {
  const client = clientOf(options);
  const session = await client.createSession({ experiment } as never);
  const dialog = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: isColourful(process.stderr),
  });
  if (isColourful(process.stderr))
    console.error('Type a line; the model continues it. Ctrl-D ends the session.');
  try {
    for await (const line of dialog) {
      if (line !== '') await client.feedSession(session.id, `${line}\n`);
      for await (const text of client.streamInSession(session.id, samplingOf(options)))
        process.stdout.write(text);
      process.stdout.write('\n');
    }
  } finally {
    dialog.close();
    await client.deleteSession(session.id);
  }
}

function samplingOf({ maxTokens, temperature, topK, topP, seed, stop }: GenerateOptions) {
  return {
    maxTokens,
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    ...(seed !== undefined && { seed }),
    ...(stop !== undefined && { stop }),
  };
}

async function score(file: string, experiment: string | undefined, options: ServerOptions): Promise<void> {
  const text = readText(file);
  const result = (await clientOf(options).score({ experiment, text })) as ScoreResult;
  print(options, result, () => {
    // Words of some tokenizers have no spaces of their own.
    const space = result.tokens.map(({ token }) => token).join('') === text ? '' : ' ';
    const tokens = result.tokens.map(({ token, surprisal }) => paint(colourOf(surprisal), token));
    const coloured = isColourful() ? `${tokens.join(space)}\n\n` : '';
    return `${coloured}perplexity ${decimal(result.perplexity)}, ${result.bitsPerByte.toFixed(3)} bits per byte, ${integer(result.tokens.length)} tokens`;
  });
}

async function inspect(file: string, experiment: string | undefined, options: ServerOptions): Promise<void> {
  const body = { experiment, text: readText(file), inspect: true };
  const result = (await clientOf(options).score(body as never)) as ScoreResult;
  print(options, result, () =>
    table([
      ['token', 'surprisal', 'likelier'],
      ...result.tokens.map(({ token, surprisal, inside }) => [
        JSON.stringify(token),
        surprisal.toFixed(2),
        (inside?.alternatives ?? [])
          .slice(0, 5)
          .map((other) => JSON.stringify(other.token))
          .join(' '),
      ]),
    ]),
  );
}

async function rank(
  prompt: string,
  alternatives: string[],
  options: ServerOptions & { experiment?: string },
): Promise<void> {
  const result = await clientOf(options).rank({ experiment: options.experiment, prompt, alternatives });
  print(options, result, () =>
    table([
      ['share', 'ln p', 'alternative'],
      ...result.items.map(({ share, logprob, alternative }) => [
        share.toFixed(3),
        logprob.toFixed(2),
        JSON.stringify(alternative),
      ]),
    ]),
  );
}

async function evaluate(
  id: string,
  options: ServerOptions & { split: string; corpus?: string; cache?: boolean; dynamic?: boolean },
): Promise<void> {
  const { split, corpus, cache, dynamic } = options;
  const body = {
    split,
    ...(corpus !== undefined && { corpus }),
    ...(cache && { cache: {} }),
    ...(dynamic && { dynamic: {} }),
  };
  const result = await clientOf(options).evaluate(id, body as never);
  print(options, result, () => {
    const { perplexity, bitsPerByte, tokens } = result;
    return `perplexity ${decimal(perplexity)}, ${bitsPerByte?.toFixed(3) ?? '–'} bits per byte, ${integer(tokens)} tokens`;
  });
}

/** Expected words are dimmed, surprising ones highlighted. @param surprisal nats */
function colourOf(surprisal: number): 'dim' | 'green' | 'yellow' | 'red' {
  if (surprisal < 1) return 'dim';
  if (surprisal < 4) return 'green';
  return surprisal < 8 ? 'yellow' : 'red';
}
