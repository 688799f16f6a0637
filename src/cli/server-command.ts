import type { Command } from 'commander';
import { GatelmClient, GatelmError } from '../client/client.js';
import { fetchWithProgress } from './transfer-progress.js';

/** Options of every command that talks to a server. */
export interface ServerOptions {
  readonly url?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** Adds the options of a command that talks to a server: its address, an API key, and JSON output. */
export function withServer(command: Command): Command {
  return command
    .option('--url <address>', 'the server; same as GATELM_URL (default: http://127.0.0.1:8080)')
    .option('--key <key>', 'an API key; prefer GATELM_API_KEY, which other users of the machine cannot see')
    .option('--json', 'print the response as JSON');
}

/** @throws GatelmError if the address is not one */
export function clientOf({ url, key }: ServerOptions): GatelmClient {
  const { GATELM_URL, GATELM_API_KEY } = process.env;
  const address = url ?? (GATELM_URL || undefined);
  if (address !== undefined && !(/^https?:\/\//.test(address) && URL.canParse(address)))
    throw new GatelmError(400, {
      detail: `${url === undefined ? 'GATELM_URL' : '--url'} must be an address such as http://127.0.0.1:8080; got ${address}`,
    });
  return new GatelmClient({
    url: address,
    apiKey: key ?? (GATELM_API_KEY || undefined),
    fetch: fetchWithProgress(process.stderr),
  });
}

/** Prints JSON if requested, otherwise the text. */
export function print(options: ServerOptions, answer: unknown, text: () => string): void {
  console.log(options.json ? JSON.stringify(answer, null, 2) : text());
}
