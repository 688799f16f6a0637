/**
 * Completes text where the cursor is, for an editor, through the interface of OpenAI. It needs a server with a model (GATELM_URL).
 *
 *     node dist/examples/apps/complete.js FILE OFFSET [MODEL]        three suggestions for the rest of the line, a line each
 *     node dist/examples/apps/complete.js --measure FILE [MODEL] [--places 100]     how many of a text's characters need no typing
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import OpenAI from 'openai';

/** An LSTM's past is one vector: what is further back hardly changes the next words. */
const CONTEXT_CHARACTERS = 1000;
const SUGGESTIONS = 3;
const MAX_TOKENS = 24;

const openai = new OpenAI({
  baseURL: `${process.env.GATELM_URL ?? 'http://127.0.0.1:8080'}/v1`,
  apiKey: process.env.GATELM_API_KEY ?? 'none',
});

/** What may follow the text up to the end of its line; the likeliest first. */
async function complete(model: string, before: string, suggestions: number): Promise<string[]> {
  const { choices } = await openai.completions.create({
    model,
    prompt: before.slice(-CONTEXT_CHARACTERS),
    max_tokens: MAX_TOKENS,
    stop: ['\n'],
    temperature: suggestions === 1 ? 0 : 0.5,
    n: suggestions,
    seed: 1,
  });
  return [...new Set(choices.map(({ text }) => text))];
}

interface Measured {
  /** Places at which the model was asked. */
  readonly asked: number;
  /** Places at which the first suggestion begins with the right word, and those at which any suggestion does. */
  readonly right: { readonly first: number; readonly any: number };
  readonly saved: number;
  readonly characters: number;
}

/** Types a text with help: asks at the ends of words, evenly spread, and takes what is right of the likeliest suggestion, whole words only. */
async function measure(model: string, text: string, places: number): Promise<Measured> {
  let [asked, saved, characters] = [0, 0, 0];
  const right = { first: 0, any: 0 };
  for (let place = 1; place <= places; place++) {
    const cursor = text.indexOf(' ', Math.floor((text.length * place) / (places + 1)));
    const rest = /^[^\n]*/.exec(text.slice(cursor))?.[0] ?? '';
    if (cursor < 0 || rest.length < 2) continue;
    const before = text.slice(0, cursor);
    const [likeliest = ''] = await complete(model, before, 1);
    const others = await complete(model, before, SUGGESTIONS);
    asked++;
    saved += rightWords(likeliest, rest);
    if (rightWords(likeliest, rest) > 0) right.first++;
    if ([likeliest, ...others].some((suggestion) => rightWords(suggestion, rest) > 0)) right.any++;
    characters += rest.length;
  }
  return { asked, right, saved, characters };
}

/** How many characters of whole words at the beginning of a suggestion are those that follow. */
export function rightWords(suggestion: string, rest: string): number {
  let right = 0;
  for (const word of suggestion.match(/\s*\S+/g) ?? []) {
    const end = right + word.length;
    if (rest.slice(right, end) !== word || /^\w/.test(rest.slice(end))) break;
    right = end;
  }
  return right;
}

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { measure: { type: 'boolean', default: false }, places: { type: 'string', default: '100' } },
});
const [file, ...rest] = positionals;
if (file === undefined) {
  console.error('usage: complete.js FILE OFFSET [MODEL] | --measure FILE [MODEL] [--places N]');
  process.exitCode = 2;
} else {
  const text = readFileSync(file, 'utf8');
  const model = rest[values.measure ? 0 : 1] ?? (await openai.models.list()).data[0]?.id ?? '';
  if (values.measure) {
    const { asked, right, saved, characters } = await measure(model, text, Number(values.places));
    console.log(`${saved} of ${characters} characters saved, ${percent(saved, characters)}`);
    console.log(
      `the next word is right at ${right.first} of ${asked} places, ${percent(right.first, asked)}; with ${SUGGESTIONS} more suggestions at ${right.any}, ${percent(right.any, asked)}`,
    );
  } else {
    for (const suggestion of await complete(model, text.slice(0, Number(rest[0])), SUGGESTIONS))
      console.log(suggestion);
  }
}
