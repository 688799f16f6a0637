/** Models that write, one or two side by side from the same prompt with the same seed. */
import { batch, type Signal, signal } from '@preact/signals';
import type { GenerationPart } from '../../../src/contracts/generation.js';
import type { Session } from '../../../src/contracts/session.js';
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
  /** A session that can go on, and the experiment that it is of: `experiment` may be null, and the best one changes. */
  readonly session: Signal<Session | null>;
  /** Another model: what was written is of the one before. */
  choose(experiment: string | null): void;
  begin(prompt: string, sampling: Sampling): Promise<void>;
  goOn(sampling: Sampling): Promise<void>;
  stop(): void;
}

export function createWriter(experiment: string | null): Writer {
  /** Of the last run. Once it is aborted, that run changes nothing here any more. */
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
    choose(id) {
      forgetText();
      writer.experiment.value = id;
    },
    async begin(prompt, sampling) {
      forgetText();
      writer.prompt.value = prompt;
      await run(async (cancelled) => {
        const session = await createSession(writer.experiment.value, prompt, cancelled);
        cancelled.throwIfAborted();
        writer.session.value = session;
        await write(session, sampling, cancelled);
      });
    },
    async goOn(sampling) {
      const session = writer.session.value;
      if (session === null) return;
      const seed = sampling.seed + writer.text.value.length;
      await run((cancelled) => write(session, { ...sampling, seed }, cancelled));
    },
    stop() {
      abort.abort();
      writer.isWriting.value = false;
    },
  };
  return writer;

  function forgetText(): void {
    writer.stop();
    const former = writer.session.value;
    if (former !== null) void deleteSession(former.id).catch(() => {}); // it expires by itself
    batch(() => {
      writer.session.value = null;
      writer.text.value = '';
      writer.unknownWords.value = [];
      forgetScores();
    });
  }

  function forgetScores(): void {
    writer.failure.value = null;
    writer.tokens.value = [];
    writer.chosen.value = null;
  }

  /** Ends the run before: of two at once, the older could overwrite what the newer wrote. */
  async function run(action: (cancelled: AbortSignal) => Promise<void>): Promise<void> {
    writer.stop();
    abort = new AbortController();
    const { signal: cancelled } = abort;
    batch(() => {
      forgetScores();
      writer.isWriting.value = true;
    });
    try {
      await action(cancelled);
      writer.isWriting.value = false;
      await score(cancelled);
    } catch (error) {
      if (cancelled.aborted) return;
      writer.isWriting.value = false;
      writer.failure.value = error;
    }
  }

  async function write(session: Session, sampling: Sampling, cancelled: AbortSignal): Promise<void> {
    const before = writer.text.value;
    const onPart = ({ text }: GenerationPart) => {
      cancelled.throwIfAborted(); // a piece may have been on its way
      writer.text.value += text;
    };
    const answer = await writeInSession(session.id, sampling, onPart, cancelled);
    cancelled.throwIfAborted();
    writer.text.value = before + answer.text;
    writer.unknownWords.value = answer.unknownWords;
  }

  async function score(cancelled: AbortSignal): Promise<void> {
    const session = writer.session.value;
    const text = writer.prompt.value + writer.text.value;
    if (session === null || text === '' || text.length > MAX_SCORED_CHARACTERS) return;
    const asked = { experiment: session.experimentId, text, alternatives: ALTERNATIVES };
    const { tokens } = await inspect(asked, cancelled);
    cancelled.throwIfAborted();
    writer.tokens.value = cutText(text, tokens);
  }
}
