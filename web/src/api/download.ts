import { send } from './request.js';

/** Saves what a request answers: with its key in a header, which a plain link could not send. */
export async function downloadFrom(path: string, name: string): Promise<void> {
  const response = await send(path);
  saveFile(await response.blob(), name);
}

export function saveFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
