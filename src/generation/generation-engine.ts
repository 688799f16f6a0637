import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GenerationPart } from '../contracts/generation.js';
import type { LanguageModel } from '../models/language-model.js';
import { State } from '../models/state.js';
import { PROMPT_BLOCK } from './generate-text.js';
import { type PrefixKey, PromptCache, prefixKeys } from './prompt-cache.js';
import type { GeneratedText, TextWriting } from './text-writing.js';
import { writeTokens } from './write-tokens.js';

export interface EngineLimits {
  /** Texts that are written side by side; more wait for their turn. */
  readonly streams: number;
  /** Memory of the states of prompts that were read. */
  readonly promptCacheBytes: number;
}

export interface WritingOptions {
  readonly onPart?: (part: GenerationPart) => void;
  /** Asked at each token. */
  readonly isCancelled?: () => boolean;
  /** What the model remembers of a text that goes on; the engine's. */
  readonly state?: State | null;
  /** Gets what the model remembers in the end, all but the last id read; the receiver's. */
  readonly onState?: (state: State) => void;
}

interface Stream extends Omit<WritingOptions, 'state'> {
  readonly writing: TextWriting;
  readonly keys: readonly PrefixKey[];
  readonly resolve: (text: GeneratedText) => void;
  readonly reject: (error: unknown) => void;
  /** Ids of the context that were read. */
  position: number;
  /** Its own past while the prompt is read; null before that, and when it is part of the batch. */
  state: State | null;
}

/** Beginnings of a long prompt that are kept. */
const MAX_BEGINNINGS = 64;

/**
 * Writes many texts with one model. A step reads one token of every text at once; texts join and leave between two steps
 * (continuous batching: Yu et al. 2022, "Orca"). Prompts are read block by block, a block between two steps, which is a
 * part of a long one or several short ones, so that nobody is held up for long.
 *
 * A text does not depend on what is written beside it. Where the model does not promise that by itself, each text has a step
 * of its own.
 *
 * Has the model for itself between its turns: others may use it in between if they leave its state as it was.
 */
export class GenerationEngine {
  readonly #model: LanguageModel;
  readonly #limits: EngineLimits;
  readonly #prompts: PromptCache;
  readonly #waiting: Stream[] = [];
  #reading: Stream[] = [];
  #writing: Stream[] = [];
  /** The past of #writing, in its order. */
  #state: State | null = null;
  #isRunning = false;

  constructor(model: LanguageModel, limits: EngineLimits) {
    this.#model = model;
    this.#limits = limits;
    this.#prompts = new PromptCache(limits.promptCacheBytes);
  }

  /** Texts that are not finished. */
  get open(): number {
    return this.#waiting.length + this.#reading.length + this.#writing.length;
  }

  /** Writes a text to its end. Parts come as they are certain. */
  run(writing: TextWriting, options: WritingOptions = {}): Promise<GeneratedText> {
    const { state = null } = options;
    const prompt = writing.context.subarray(0, -1);
    const keys = state ? [] : prefixKeys(prompt, PROMPT_BLOCK, MAX_BEGINNINGS); // of texts from their beginning
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...options, writing, keys, resolve, reject, position: 0, state });
      if (!this.#isRunning) void this.#run();
    });
  }

  /** To be called when nothing is open. */
  dispose(): void {
    this.#prompts.dispose();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.open > 0) {
      await nextTurn(); // those who ask and those who leave are heard between two steps
      this.#admit();
      this.#readPrompts();
      if (this.#writing.length > 0) this.#writeOneToken();
    }
    this.#isRunning = false;
  }

  #admit(): void {
    const room = this.#limits.streams - this.#reading.length - this.#writing.length;
    for (const stream of this.#waiting.splice(0, room)) {
      const known = this.#prompts.find(stream.keys);
      if (known) {
        stream.position = known.length;
        stream.state = known.state;
      }
      this.#reading.push(stream);
    }
  }

  /** A block's worth of tokens, of the prompts that waited longest. A prompt that has been read joins the writing ones. */
  #readPrompts(): void {
    for (let read = 0; read < PROMPT_BLOCK && this.#reading.length > 0; )
      read += this.#readOneBlock(this.#reading.shift()!);
  }

  /** @returns the tokens that were read, and one for the way there */
  #readOneBlock(stream: Stream): number {
    if (stream.isCancelled?.()) {
      stream.writing.cancel();
      this.#end(stream);
      return 1;
    }
    const end = stream.writing.context.length - 1;
    const tokens = Math.min(PROMPT_BLOCK, end - stream.position);
    try {
      if (stream.position < end) {
        const block = stream.writing.context.subarray(stream.position, stream.position + tokens);
        this.#useModel(
          stream.state,
          () => this.#model.read(block),
          (state) => {
            stream.state = state;
          },
        );
        stream.position += block.length;
        const key = stream.keys.find(({ length }) => length === stream.position);
        if (key && stream.state) this.#prompts.add(key.key, stream.state);
      }
      if (stream.position < end) this.#reading.push(stream);
      else if (stream.writing.isFinished) this.#end(stream);
      else this.#join(stream);
    } catch (error) {
      stream.state?.dispose();
      stream.reject(error);
    }
    return tokens + 1;
  }

  #join(stream: Stream): void {
    const own = stream.state ?? this.#model.emptyState(1);
    stream.state = null;
    this.#state = this.#state ? State.join([this.#state, own]) : own;
    this.#writing.push(stream);
  }

  #writeOneToken(): void {
    try {
      const parts = this.#nextParts(this.#writing.map(({ writing }) => writing));
      for (const [row, stream] of this.#writing.entries()) {
        const part = parts[row];
        if (part) stream.onPart?.(part);
        if (stream.isCancelled?.()) stream.writing.cancel();
      }
    } catch (error) {
      for (const stream of this.#writing) stream.reject(error);
      this.#writing = [];
      this.#state?.dispose();
      this.#state = null;
      return;
    }
    this.#letGo();
  }

  /** The next token of each text. */
  #nextParts(writings: readonly TextWriting[]): (GenerationPart | null)[] {
    const step = (some: readonly TextWriting[]) =>
      this.#useModel(
        this.#state,
        () => writeTokens(some, this.#model),
        (state) => {
          this.#state = state;
        },
      );
    if (this.#model.rowsAreIndependent || writings.length === 1) return step(writings);
    const before = this.#state!;
    const after: State[] = [];
    try {
      const parts = writings.map((writing, row) => {
        this.#state = before.gather([row]);
        const [part] = step([writing]);
        after.push(this.#state);
        this.#state = null;
        return part!;
      });
      this.#state = State.join(after);
      return parts;
    } catch (error) {
      for (const state of after) state.dispose();
      throw error;
    } finally {
      before.dispose();
    }
  }

  /** Those that are finished leave the batch. */
  #letGo(): void {
    const finished = this.#writing.filter(({ writing }) => writing.isFinished);
    if (finished.length === 0) return;
    const rows = [...this.#writing.keys()].filter((row) => !this.#writing[row]!.writing.isFinished);
    const state = this.#state!;
    for (const [row, stream] of this.#writing.entries()) {
      if (stream.writing.isFinished && stream.onState) stream.state = state.gather([row]);
    }
    this.#state = rows.length > 0 ? state.gather(rows) : null;
    state.dispose();
    this.#writing = this.#writing.filter(({ writing }) => !writing.isFinished);
    for (const stream of finished) this.#end(stream);
  }

  #end(stream: Stream): void {
    if (stream.onState) stream.onState(stream.state ?? this.#model.emptyState(1));
    else stream.state?.dispose();
    const { part, result } = stream.writing.finish();
    if (part) stream.onPart?.(part);
    stream.resolve(result);
  }

  /** Runs the model on a past; its own is put back afterwards. */
  #useModel<Result>(state: State | null, body: () => Result, keep: (state: State | null) => void): Result {
    const own = this.#model.takeState();
    this.#model.putState(state);
    try {
      return body();
    } finally {
      keep(this.#model.takeState());
      this.#model.putState(own);
    }
  }
}
