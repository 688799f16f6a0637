import { z } from 'zod';

/** Every site. */
export const ANY_ORIGIN = '*';

/** The origin as a browser sends it: scheme, host and port in lower case, without the default port; null if invalid. */
function originOf(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, origin, pathname, search, hash, username } = new URL(text);
  const isOrigin = /^https?:$/.test(protocol) && pathname === '/' && !search && !hash && !username;
  return isOrigin ? origin : null;
}

/** An origin as people write it, or * for every site. */
export const AllowedOrigin = z
  .string()
  .refine(
    (text) => text === ANY_ORIGIN || originOf(text) !== null,
    'must be an origin, as in https://example.org or http://localhost:3000, without a path; or * for every site',
  )
  .transform((text) => originOf(text) ?? text);
