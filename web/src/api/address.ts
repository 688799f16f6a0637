/**
 * The address of a path of the server. The page stands at its root, which a proxy may have put below a path of its own.
 * @param path begins with /
 */
export function addressOf(path: string): string {
  return new URL(path.slice(1), document.baseURI).href;
}
