import type { Command } from 'commander';
import { GatelmClient } from '../client/client.js';

/** Options of every command that talks to a server. */
export interface ServerOptions {
  readonly url?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** A command that talks to a server: its address, its key, and whether the answer is for a program. */
export function withServer(command: Command): Command {
  return command
    .option('--url <address>', 'the server; same as GATELM_URL (default: http://127.0.0.1:8080)')
    .option(
      '--key <key>',
      'an API key; better in GATELM_API_KEY, where other users of the machine do not see it',
    )
    .option('--json', 'print the answer as JSON, for programs');
}

export function clientOf({ url, key }: ServerOptions): GatelmClient {
  const { GATELM_URL, GATELM_API_KEY } = process.env;
  return new GatelmClient({
    url: url ?? (GATELM_URL || undefined),
    apiKey: key ?? (GATELM_API_KEY || undefined),
  });
}

/** Prints JSON where it was asked for, else the text. */
export function print(options: ServerOptions, answer: unknown, text: () => string): void {
  console.log(options.json ? JSON.stringify(answer, null, 2) : text());
}
