/** A text looked into: surprisal, gates, cells, what units do to it, and where else the same ones are on. */
import { batch, computed, signal } from '@preact/signals';
import type { CorpusPreview } from '../../../src/contracts/corpus.js';
import type { UnitInspection } from '../../../src/contracts/score.js';
import { ablateOf, ablationEffect, toggleUnit, type Unit } from '../../logic/ablation.js';
import { cutText, type TextToken } from '../../logic/scored-text.js';
import { type Activations, matchSpan, strongestPlaces, unitsOnIn } from '../../logic/state-match.js';
import { inspect } from '../api/models.js';
import { request } from '../api/request.js';
import { experimentList, experiments } from './experiments.js';

/** Units that the server shows in full at once. */
const UNITS = 64;
const CORPUS_CHARACTERS = 2400;
const PLACES = 8;

export type Inspector = ReturnType<typeof createInspector>;

/** What the colours of the text say. */
export type Colouring = 'surprisal' | 'unit' | 'change';

export interface Place {
  readonly before: string;
  readonly at: string;
  readonly after: string;
  readonly figure: number;
}

export function createInspector(firstExperiment: string | null) {
  const experiment = signal(firstExperiment);
  const layer = signal(0);
  const firstUnit = signal(0);
  const channel = signal('cell');
  const tokens = signal<readonly TextToken[]>([]);
  const text = signal('');
  const chosen = signal<number | null>(null);
  const unit = signal<number | null>(null);
  const span = signal<readonly [number, number] | null>(null);
  const places = signal<readonly Place[] | null>(null);
  const ablated = signal<readonly Unit[]>([]);
  const ablatedTokens = signal<readonly TextToken[] | null>(null);
  const colouring = signal<Colouring>('surprisal');
  const isAtWork = signal(false);
  const failure = signal<unknown>(null);
  let abort = new AbortController();

  const layers = computed(() => tokens.value[0]?.scored.inside?.layers.length ?? 0);
  const channels = computed(() => Object.keys(tokens.value[0]?.scored.inside?.layers[0] ?? {}));
  const activations = computed(() => activationsOf(tokens.value, channel.value));
  const threshold = computed(() => quantile(activations.value, 0.85));
  const effect = computed(() => ablatedTokens.value && ablationEffect(tokens.value, ablatedTokens.value));

  async function work(action: (cancelled: AbortSignal) => Promise<void>): Promise<void> {
    abort.abort();
    abort = new AbortController();
    const { signal: cancelled } = abort;
    isAtWork.value = true;
    failure.value = null;
    try {
      await action(cancelled);
    } catch (error) {
      if (!cancelled.aborted) failure.value = error;
    }
    if (!cancelled.aborted) isAtWork.value = false;
  }

  /** A request for more units than a layer has is refused; its size is in the config of the experiment. */
  function unitsOf(): { layer: number; unit: number }[] {
    const one = experiments.value.get(experiment.value ?? '') ?? bestKnown();
    const size = one?.config.model.hiddenSizes[layer.value] ?? UNITS;
    const count = Math.min(UNITS, Math.max(0, size - firstUnit.value));
    return Array.from({ length: count }, (_, index) => ({
      layer: layer.value,
      unit: firstUnit.value + index,
    }));
  }

  async function read(what: string, cancelled: AbortSignal): Promise<TextToken[]> {
    experiment.value ??= bestKnown()?.id ?? null;
    const asked = { experiment: experiment.value, text: what, alternatives: 6, units: unitsOf() };
    return cutText(what, (await inspect(asked, cancelled)).tokens);
  }

  /** The same text with the units off that are to be off; null where none is. */
  async function readAblated(what: string, cancelled: AbortSignal): Promise<TextToken[] | null> {
    if (ablated.value.length === 0) return null;
    const asked = { experiment: experiment.value, text: what, alternatives: 6 };
    return cutText(what, (await inspect({ ...asked, ablate: ablateOf(ablated.value) }, cancelled)).tokens);
  }

  /** Layer and units are set before they are read; where they could not be, the controls go back to those that are shown. */
  async function readBoth(what: string, cancelled: AbortSignal) {
    try {
      return [await read(what, cancelled), await readAblated(what, cancelled)] as const;
    } catch (error) {
      const shown = tokens.value[0]?.scored.inside?.units[0];
      if (shown && !cancelled.aborted)
        batch(() => {
          layer.value = shown.layer;
          firstUnit.value = shown.unit;
        });
      throw error;
    }
  }

  function switchTo(units: readonly Unit[]): Promise<void> {
    ablated.value = units;
    return work(async (cancelled) => {
      const read_ = await readAblated(text.value, cancelled);
      batch(() => {
        ablatedTokens.value = read_;
        colouring.value = read_ ? 'change' : 'surprisal';
      });
    });
  }

  /** The beginning of the valid split of the corpus that the model learned from. */
  async function readCorpus(cancelled: AbortSignal): Promise<TextToken[]> {
    const corpus = experiments.value.get(experiment.value ?? '')?.config.corpus ?? 'handbook';
    const query = `split=valid&characters=${CORPUS_CHARACTERS}`;
    const preview = await request<CorpusPreview>(`/corpora/${encodeURIComponent(corpus)}/preview?${query}`, {
      signal: cancelled,
    });
    return read(preview.text, cancelled);
  }

  return {
    experiment,
    layer,
    firstUnit,
    channel,
    tokens,
    text,
    chosen,
    unit,
    span,
    places,
    ablated,
    ablatedTokens,
    effect,
    colouring,
    isAtWork,
    failure,
    layers,
    channels,
    activations,
    threshold,
    look(what: string): Promise<void> {
      return work(async (cancelled) => {
        const [read_, withoutUnits] = await readBoth(what, cancelled);
        batch(() => {
          text.value = what;
          tokens.value = read_;
          ablatedTokens.value = withoutUnits;
          colouring.value = withoutUnits ? 'change' : 'surprisal';
          if (!channels.value.includes(channel.value)) channel.value = channels.value.at(-1) ?? 'hidden';
          chosen.value = null;
          span.value = null;
          places.value = null;
        });
      });
    },
    /** Another model: its tokens, layers and units are others, and a text of one is not compared with that of another. */
    choose(id: string | null): void {
      abort.abort();
      batch(() => {
        experiment.value = id;
        tokens.value = [];
        text.value = '';
        layer.value = 0;
        firstUnit.value = 0;
        for (const one of [unit, chosen, span, places, ablatedTokens]) one.value = null;
        ablated.value = [];
        colouring.value = 'surprisal';
        failure.value = null;
        isAtWork.value = false;
      });
    },
    /** Switches a unit off, or on again. */
    toggle(one: Unit): Promise<void> {
      return switchTo(toggleUnit(ablated.value, one));
    },
    switchAllOn(): Promise<void> {
      return switchTo([]);
    },
    /** Where in the corpus the chosen unit is most active. */
    findUnit(): Promise<void> {
      return work(async (cancelled) => {
        const corpus = await readCorpus(cancelled);
        const row = activationsOf(corpus, channel.value)[unit.value ?? 0] ?? [];
        places.value = strongestPlaces(row, PLACES).map(({ index, value }) =>
          placeOf(corpus, index, index, value),
        );
      });
    },
    /** Where in the corpus the units that the marked part switched on are on together. */
    findSpan(): Promise<void> {
      return work(async (cancelled) => {
        const [start, end] = span.value ?? [0, 0];
        const units = unitsOnIn(activations.value, start, end, threshold.value);
        const corpus = await readCorpus(cancelled);
        const matches = matchSpan(
          activationsOf(corpus, channel.value),
          units,
          end - start + 1,
          threshold.value,
          PLACES,
        );
        places.value = matches.map((match) => placeOf(corpus, match.start, match.end, match.overlap));
      });
    },
    spanUnits: computed(() => {
      const marked = span.value;
      return marked ? unitsOnIn(activations.value, marked[0], marked[1], threshold.value) : [];
    }),
    stop(): void {
      abort.abort();
    },
  };
}

/** The model that is meant where none was chosen. */
function bestKnown() {
  return experimentList.value
    .filter(({ best }) => best.validPerplexity !== null)
    .sort((a, b) => a.best.validPerplexity! - b.best.validPerplexity!)[0];
}

function activationsOf(tokens: readonly TextToken[], channel: string): Activations {
  const [first] = tokens;
  const units = first?.scored.inside?.units.length ?? 0;
  return Array.from({ length: units }, (_, unit) =>
    tokens.map(({ scored }) => {
      const value = scored.inside?.units[unit]?.[channel as keyof UnitInspection];
      return typeof value === 'number' ? value : 0;
    }),
  );
}

/** The value that a part of all values is below. */
function quantile(activations: Activations, part: number): number {
  const values = activations.flat().sort((a, b) => a - b);
  return values[Math.floor(part * (values.length - 1))] ?? 0;
}

function placeOf(tokens: readonly TextToken[], start: number, end: number, figure: number): Place {
  const join = (from: number, to: number) =>
    tokens
      .slice(Math.max(0, from), to)
      .map(({ before, text }) => before + text)
      .join('');
  return { before: join(start - 8, start), at: join(start, end + 1), after: join(end + 1, end + 7), figure };
}
