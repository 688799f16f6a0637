import { GatelmError } from '../../client/client.js';

/** @throws GatelmError that names the option */
export function parseJson(text: string, option: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new GatelmError(400, {
      detail: `${option} is not JSON: ${(error as Error).message}; got ${text.slice(0, 200)}`,
    });
  }
}
