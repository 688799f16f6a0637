/** Models that write, one or two side by side from the same prompt with the same seed. */
import { type Signal, signal } from '@preact/signals';
import { cutText, type TextToken } from '../../logic/scored-text.js';
import { createSession, deleteSession, inspect, writeInSession } from '../api/models.js';

export interface Sampling {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export const DEFAULT_SAMPLING: Sampling = {
  maxTokens: 120,
  temperature: 0.8,
  topK: 40,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  seed: 1,
};

/** Tokens that are scored at most: more are not looked at one by one. */
const MAX_SCORED_CHARACTERS = 6000;
const ALTERNATIVES = 8;

/** One model at its text. */
export interface Writer {
  /** null = the best one */
  readonly experiment: Signal<string | null>;
  readonly prompt: Signal<string>;
  readonly text: Signal<string>;
  readonly isWriting: Signal<boolean>;
  readonly failure: Signal<unknown>;
  /** The text token by token, once it was scored. */
  readonly tokens: Signal<readonly TextToken[]>;
  readonly chosen: Signal<number | null>;
  /** Words of the prompt that the model does not know. */
  readonly unknownWords: Signal<readonly string[]>;
  /** A session that can go on. */
  readonly session: Signal<string | null>;
  begin(prompt: string, sampling: Sampling): Promise<void>;
  goOn(sampling: Sampling): Promise<void>;
  stop(): void;
}

export function createWriter(experiment: string | null): Writer {
  let abort = new AbortController();
  const writer: Writer = {
    experiment: signal(experiment),
    prompt: signal(''),
    text: signal(''),
    isWriting: signal(false),
    failure: signal(null),
    tokens: signal([]),
    chosen: signal(null),
    unknownWords: signal([]),
    session: signal(null),
    async begin(prompt, sampling) {
      writer.stop();
      const former = writer.session.value;
      if (former !== null) void deleteSession(former).catch(() => {}); // it expires by itself
      writer.session.value = null;
      writer.prompt.value = prompt;
      writer.text.value = '';
      await run(async () => {
        const { id } = await createSession(writer.experiment.value, prompt);
        writer.session.value = id;
        await write(sampling);
      });
    },
    async goOn(sampling) {
      await run(() => write({ ...sampling, seed: sampling.seed + writer.text.value.length }));
    },
    stop() {
      abort.abort();
      abort = new AbortController();
    },
  };
  return writer;

  async function run(action: () => Promise<void>): Promise<void> {
    const { signal: cancelled } = abort;
    writer.failure.value = null;
    writer.tokens.value = [];
    writer.chosen.value = null;
    writer.isWriting.value = true;
    try {
      await action();
      writer.isWriting.value = false;
      await score(cancelled);
    } catch (error) {
      if (!cancelled.aborted) writer.failure.value = error;
    } finally {
      writer.isWriting.value = false;
    }
  }

  async function write(sampling: Sampling): Promise<void> {
    const id = writer.session.value!;
    const before = writer.text.value;
    const answer = await writeInSession(
      id,
      sampling,
      ({ text }) => {
        writer.text.value += text;
      },
      abort.signal,
    );
    writer.text.value = before + answer.text;
    writer.unknownWords.value = answer.unknownWords;
  }

  async function score(cancelled: AbortSignal): Promise<void> {
    const text = writer.prompt.value + writer.text.value;
    if (text === '' || text.length > MAX_SCORED_CHARACTERS || cancelled.aborted) return;
    const asked = { experiment: writer.experiment.value, text, alternatives: ALTERNATIVES };
    const { tokens } = await inspect(asked, cancelled);
    writer.tokens.value = cutText(text, tokens);
  }
}
