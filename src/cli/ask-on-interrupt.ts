import { createInterface } from 'node:readline';

/** The choices after Ctrl-C with the key of each, in the order in which they are offered. */
export type InterruptChoices = readonly { readonly key: string; readonly text: string }[];

/**
 * Asks what to do after Ctrl-C. A second Ctrl-C, Ctrl-D, Enter, or the lack of a terminal mean the first choice.
 * @returns the key of the choice
 */
export async function askOnInterrupt(choices: InterruptChoices): Promise<string> {
  const [first] = choices;
  if (!process.stdin.isTTY) return first!.key;
  const offered = choices.map(({ key, text }) => `${text} (${key})`);
  const question = `\n${offered.slice(0, -1).join(', ')} or ${offered.at(-1)}? [${first!.key}] `;
  const dialog = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    dialog.on('close', () => resolve(''));
    dialog.question(question, resolve);
  });
  dialog.close();
  const key = answer.trim().toLowerCase()[0];
  return choices.find((choice) => choice.key === key)?.key ?? first!.key;
}
