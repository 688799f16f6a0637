/** The same request as a line for a shell. */
export interface CurlRequest {
  readonly method?: 'POST' | 'GET';
  readonly address: string;
  readonly body?: unknown;
  readonly accept?: string;
  /** The server asks for a key: the line reads it from $GATELM_KEY, so that no key is in it. */
  readonly needsKey: boolean;
}

export function curlLine({ method = 'GET', address, body, accept, needsKey }: CurlRequest): string {
  const parts = [
    method === 'POST' && body === undefined ? '-X POST' : '',
    quote(address),
    needsKey ? '-H "Authorization: Bearer $GATELM_KEY"' : '',
    accept === undefined ? '' : `-H ${quote(`Accept: ${accept}`)}`,
    body === undefined ? '' : `-H 'Content-Type: application/json' \\\n  -d ${quote(JSON.stringify(body))}`,
  ];
  return `curl ${parts.filter((part) => part !== '').join(' ')}`;
}

/** Text as one word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
