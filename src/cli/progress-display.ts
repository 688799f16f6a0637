/** The progress of a training: in a terminal, a table of epochs with a bar below it; otherwise plain lines. */
import { EventData, type TrainingEvent } from '../contracts/events.js';
import type { TrainingConfig } from '../contracts/training.js';

/** The part of a terminal stream that is used. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_WIDTH = 24;
export const CLEAR_LINE = '\r\u001b[2K';
/** Time between two lines of progress without a terminal. */
const PLAIN_INTERVAL_MS = 10_000;
const HEADINGS = ['epoch', 'train perplexity', 'valid perplexity', 'tokens/s', 'seconds', 'left'] as const;

/** When a training ends: after a number of epochs or seconds. */
type TrainingLength = Pick<TrainingConfig, 'epochs' | 'maxDuration'> & {
  readonly timeBudget?: number | null;
};

export class ProgressDisplay {
  readonly #output: Output;
  readonly #length: TrainingLength;
  readonly #now: () => number;
  #lastPlainLine: number;
  #start: number;
  #hasHeadings = false;
  /** Lines that wait while somebody is asked; null: nobody is. */
  #held: string[] | null = null;

  constructor(output: Output, length: TrainingLength, now = () => performance.now()) {
    this.#output = output;
    this.#length = length;
    this.#now = now;
    this.#lastPlainLine = now();
    this.#start = now();
  }

  show(event: Pick<TrainingEvent, 'type' | 'data'>): void {
    switch (event.type) {
      case 'queued': {
        const { position } = EventData.queued.parse(event.data);
        if (position > 0) this.#line(`queued, ${position} ahead of it`);
        break;
      }
      case 'preparing':
        this.#line('loading the corpus, building the model …');
        break;
      case 'started': {
        this.#start = this.#now();
        const { parameterCount, vocabularySize, trainTokens } = EventData.started.parse(event.data);
        this.#line(
          `${integer(parameterCount)} parameters, a vocabulary of ${integer(vocabularySize)} tokens, ${integer(trainTokens)} training tokens`,
        );
        break;
      }
      case 'step':
        this.#showStep(EventData.step.parse(event.data));
        break;
      case 'epoch':
        this.#showEpoch(EventData.epoch.parse(event.data));
        break;
      case 'warning': {
        const { message, advice } = EventData.warning.parse(event.data);
        this.#line(`! ${message}. ${advice}.`);
        break;
      }
      default:
        break;
    }
  }

  /** Removes the bar and writes nothing until {@link release}: somebody is asked, and types. */
  hold(): void {
    this.end();
    this.#held ??= [];
  }

  release(): void {
    const lines = this.#held ?? [];
    this.#held = null;
    for (const line of lines) this.#line(line);
  }

  /** Removes the bar. */
  end(): void {
    if (this.#output.isTTY) this.#output.write(CLEAR_LINE);
  }

  #showStep({ epoch, trainPerplexity, tokensPerSecond, remainingSeconds }: Step): void {
    const { epochs, maxDuration, timeBudget = null } = this.#length;
    const seconds = (this.#now() - this.#start) / 1000;
    const byTime = [
      maxDuration === null ? 0 : seconds / maxDuration,
      timeBudget === null || remainingSeconds === null ? 0 : seconds / (seconds + remainingSeconds || 1),
    ];
    const fraction = Math.min(1, Math.max(epoch / epochs, ...byTime));
    const current = Math.min(Math.floor(epoch) + 1, epochs);
    const facts = [
      `${Math.round(fraction * 100)} %`,
      timeBudget === null ? `epoch ${current}/${epochs}` : `epoch ${current}`, // it ends by time, before `epochs`
      `train perplexity ${decimal(trainPerplexity)}`,
      `${integer(tokensPerSecond)} tokens/s`,
      `${duration(remainingSeconds)} left`,
    ].join(' · ');
    if (this.#held) return;
    if (this.#output.isTTY) {
      replaceLine(this.#output, `${bar(fraction)} ${facts}`);
    } else if (this.#now() - this.#lastPlainLine >= PLAIN_INTERVAL_MS) {
      this.#lastPlainLine = this.#now();
      this.#line(facts);
    }
  }

  #showEpoch(epoch: Epoch): void {
    if (!this.#hasHeadings) this.#line(HEADINGS.join('  '));
    this.#hasHeadings = true;
    const cells = [
      String(epoch.epoch),
      decimal(epoch.trainPerplexity),
      decimal(epoch.validPerplexity),
      integer(epoch.tokensPerSecond),
      decimal(epoch.seconds),
      duration(epoch.remainingSeconds),
    ];
    this.#line(cells.map((cell, column) => cell.padStart(HEADINGS[column]!.length)).join('  '));
  }

  #line(text: string): void {
    if (this.#held) {
      this.#held.push(text);
      return;
    }
    this.#output.write(`${this.#output.isTTY ? CLEAR_LINE : ''}${text}\n`);
  }
}

type Step = ReturnType<typeof EventData.step.parse>;
type Epoch = ReturnType<typeof EventData.epoch.parse>;

/** @param fraction 0 … 1 */
export function bar(fraction: number): string {
  const full = Math.round(fraction * BAR_WIDTH);
  return '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
}

/** Writes over the last line of a terminal, no further than its width. */
export function replaceLine(output: Output, line: string): void {
  output.write(CLEAR_LINE + line.slice(0, (output.columns ?? 80) - 1));
}

export function decimal(value: number | null): string {
  return value === null ? '–' : value.toFixed(value < 1000 ? 1 : 0);
}

export function integer(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Minutes and seconds, such as 1:05; from an hour on with hours, such as 8:12:49. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '–';
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number) => String(part).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
