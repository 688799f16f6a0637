import { AsyncLocalStorage } from 'node:async_hooks';

/** What comes before the paths of the answer that is being made: '' unless a proxy serves them elsewhere. */
const basePath = new AsyncLocalStorage<string>();

/** Runs what makes an answer; the links in it begin with this path. */
export function withBasePath<Result>(path: string, work: () => Result): Result {
  return basePath.run(path, work);
}

/** A path of this server as the client of this request reaches it. */
export function linkTo(path: string): string {
  return (basePath.getStore() ?? '') + path;
}
