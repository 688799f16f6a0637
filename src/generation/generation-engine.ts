import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GenerationPart } from '../contracts/generation.js';
import type { LanguageModel } from '../models/language-model.js';
import { State } from '../models/state.js';
import { PROMPT_BLOCK } from './generate-text.js';
import { type PrefixKey, PromptCache, prefixKeys } from './prompt-cache.js';
import type { GeneratedText, TextWriting } from './text-writing.js';
import { writeTokens } from './write-tokens.js';

export interface EngineLimits {
  /** Maximum texts in a batch; more wait in a queue. */
  readonly streams: number;
  /** Maximum memory of cached prompt states. */
  readonly promptCacheBytes: number;
}

export interface WritingOptions {
  readonly onPart?: (part: GenerationPart) => void;
  /** Checked at each token. */
  readonly isCancelled?: () => boolean;
  /** State of the model after a text that continues; owned by the engine. */
  readonly state?: State | null;
  /** Receives the final state, in which all but the last id are read; owned by the receiver. */
  readonly onState?: (state: State) => void;
}

interface Stream extends Omit<WritingOptions, 'state'> {
  readonly writing: TextWriting;
  readonly keys: readonly PrefixKey[];
  readonly resolve: (text: GeneratedText) => void;
  readonly reject: (error: unknown) => void;
  /** Number of context ids that have been read. */
  position: number;
  /** State while the prompt is read; null before that, and when it is part of the batch. */
  state: State | null;
}

/** Maximum cached prefixes of a long prompt. */
const MAX_PREFIXES = 64;

/**
 * Generates many texts with one model. A step computes one token of every text; texts join and leave the batch between steps
 * (continuous batching: Yu et al. 2022, "Orca"). Prompts are read in blocks between steps, each block a part of a long prompt
 * or several short ones, so that no text waits for long.
 *
 * A text does not depend on the others in the batch. If the model does not guarantee that, each text is computed in a
 * separate step.
 *
 * Other code may use the model between steps if it restores the state.
 */
export class GenerationEngine {
  readonly #model: LanguageModel;
  readonly #limits: EngineLimits;
  readonly #prompts: PromptCache;
  readonly #waiting: Stream[] = [];
  #reading: Stream[] = [];
  #writing: Stream[] = [];
  /** State of the batch, in the order of #writing. */
  #state: State | null = null;
  #isRunning = false;

  constructor(model: LanguageModel, limits: EngineLimits) {
    this.#model = model;
    this.#limits = limits;
    this.#prompts = new PromptCache(limits.promptCacheBytes);
  }

  /** Number of unfinished texts. */
  get open(): number {
    return this.#waiting.length + this.#reading.length + this.#writing.length;
  }

  /** Generates a text. Parts are passed on as soon as they are final. */
  run(writing: TextWriting, options: WritingOptions = {}): Promise<GeneratedText> {
    const { state = null } = options;
    const prompt = writing.context.subarray(0, -1);
    const keys = state ? [] : prefixKeys(prompt, PROMPT_BLOCK, MAX_PREFIXES); // only for texts without a previous state
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...options, writing, keys, resolve, reject, position: 0, state });
      if (!this.#isRunning) void this.#run();
    });
  }

  /** Call it only when no text is open. */
  dispose(): void {
    this.#prompts.dispose();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.open > 0) {
      await nextTurn(); // new and cancelled texts are handled between steps
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

  /** Reads one block of tokens of the prompts that have waited longest. A text whose prompt is read joins the batch. */
  #readPrompts(): void {
    for (let read = 0; read < PROMPT_BLOCK && this.#reading.length > 0; )
      read += this.#readOneBlock(this.#reading.shift()!);
  }

  /** @returns the number of tokens read, plus one for overhead */
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
    this.#removeFinished();
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

  /** Removes finished texts from the batch. */
  #removeFinished(): void {
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

  /** Runs the model with a given state; its own state is restored afterwards. */
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
