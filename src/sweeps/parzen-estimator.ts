/**
 * A density over a search space, a mixture of one kernel per observation and one for the prior (Parzen 1962; as a
 * multivariate estimator Falkner, Klein and Hutter 2018).
 *
 *   p(x) = Σ_k w_k Π_s K_k,s(x_s)
 *
 * K of a number: a normal distribution truncated to [0, 1], as wide as the distance to the farther neighbour (Bergstra et al.
 * 2011). K of a choice: the observed value, with a share for all others. A setting that did not apply to an observation has
 * the prior as its kernel.
 */
import type { SweepPoint } from '../contracts/sweep.js';
import type { LabelledRandom } from './labelled-random.js';
import { normalCdf } from './normal-distribution.js';
import { applies, buildPoint, type ChoiceSetting, type NumberSetting, type Setting } from './search-space.js';

/** A normal distribution truncated to [0, 1]. */
interface NumberKernel {
  readonly mean: number;
  readonly deviation: number;
  /** Probability mass of the untruncated distribution in [0, 1]. */
  readonly mass: number;
  /** The logarithm of the density at the mean. */
  readonly logPeak: number;
}

/** Probability of each value. */
type ChoiceKernel = readonly number[];

/** The kernels of the mixture for one setting. */
type Column = readonly NumberKernel[] | readonly ChoiceKernel[];

/** The minimum kernel width is 1 / this, or larger for few observations. */
const MAX_RESOLUTION = 100;
/** The most recent observations have full weight; the weights of older ones decrease linearly. */
const FULLY_WEIGHTED = 25;
/** Minimum probability of a cell, so that its logarithm is finite. */
const MIN_PROBABILITY = 1e-300;

export class ParzenEstimator {
  readonly #settings: readonly Setting[];
  readonly #columns: readonly Column[];
  readonly #weights: readonly number[];
  readonly #logWeights: readonly number[];

  /** @param points in the order of their trials */
  constructor(settings: readonly Setting[], points: readonly SweepPoint[]) {
    this.#settings = settings;
    this.#columns = settings.map((setting) =>
      setting.kind === 'number' ? numberKernels(setting, points) : choiceKernels(setting, points),
    );
    const weights = [...observationWeights(points.length), 1];
    const sum = weights.reduce((total, weight) => total + weight, 0);
    this.#weights = weights.map((weight) => weight / sum);
    this.#logWeights = this.#weights.map((weight) => Math.log(weight));
  }

  /** Samples a point from the density. */
  sample(random: LabelledRandom): SweepPoint {
    const kernel = pick(this.#weights, random);
    return buildPoint(this.#settings, (setting, index) => {
      const part = this.#columns[index]![kernel]!;
      if (setting.kind === 'choice') return setting.values[pick(part as ChoiceKernel, random)]!;
      return setting.valueAt(sampleNumber(part as NumberKernel, random));
    });
  }

  /** ln p(x), over the settings that apply to x. */
  logDensity(point: SweepPoint): number {
    const logs = Float64Array.from(this.#logWeights);
    this.#settings.forEach((setting, index) => {
      if (!applies(setting, point)) return;
      const value = point[setting.path]!;
      if (setting.kind === 'number')
        addLogDensities(logs, this.#columns[index] as NumberKernel[], setting.cellOf(value as number));
      else addLogProbabilities(logs, this.#columns[index] as ChoiceKernel[], setting.indexOf(value));
    });
    const highest = logs.reduce((max, log) => Math.max(max, log), Number.NEGATIVE_INFINITY);
    return highest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - highest), 0));
  }
}

/** One kernel per point, the prior last. */
function numberKernels(setting: NumberSetting, points: readonly SweepPoint[]): NumberKernel[] {
  const prior = numberKernel(0.5, 1);
  const places = points.map((point) => {
    const value = point[setting.path];
    if (value === undefined) return null;
    const [from, to] = setting.cellOf(value as number);
    return (from + to) / 2;
  });
  const deviations = neighbourDistances(places.filter((place) => place !== null));
  const narrowest = 1 / Math.min(MAX_RESOLUTION, deviations.length + 2);
  let next = 0;
  const kernels = places.map((place) => {
    if (place === null) return prior;
    return numberKernel(place, Math.min(1, Math.max(narrowest, deviations[next++]!)));
  });
  return [...kernels, prior];
}

/** The distance of each place to its farther neighbour; the outermost places have one neighbour. */
function neighbourDistances(places: readonly number[]): number[] {
  const order = places.map((_, index) => index).sort((a, b) => places[a]! - places[b]! || a - b);
  const distances = new Array<number>(places.length).fill(0);
  order.forEach((index, rank) => {
    const place = places[index]!;
    const isAlone = places.length === 1;
    const below = rank > 0 ? place - places[order[rank - 1]!]! : isAlone ? place : 0;
    const above = rank < places.length - 1 ? places[order[rank + 1]!]! - place : isAlone ? 1 - place : 0;
    distances[index] = Math.max(below, above);
  });
  return distances;
}

function numberKernel(mean: number, deviation: number): NumberKernel {
  const mass = normalCdf((1 - mean) / deviation) - normalCdf(-mean / deviation);
  return { mean, deviation, mass, logPeak: -Math.log(deviation * mass * Math.sqrt(2 * Math.PI)) };
}

/** Adds the log probability of a cell, or the log density at a single place, for each kernel. */
function addLogDensities(
  logs: Float64Array,
  kernels: readonly NumberKernel[],
  [from, to]: readonly [number, number],
): void {
  kernels.forEach(({ mean, deviation, mass, logPeak }, k) => {
    if (from === to) {
      logs[k]! += logPeak - 0.5 * ((from - mean) / deviation) ** 2;
      return;
    }
    const part = normalCdf((to - mean) / deviation) - normalCdf((from - mean) / deviation);
    logs[k]! += Math.log(Math.max(MIN_PROBABILITY, part / mass));
  });
}

function addLogProbabilities(logs: Float64Array, kernels: readonly ChoiceKernel[], choice: number): void {
  kernels.forEach((kernel, k) => {
    logs[k]! += Math.log(kernel[choice]!);
  });
}

/** The mean lies in [0, 1], so at least about a third of the samples do too. */
function sampleNumber({ mean, deviation }: NumberKernel, random: LabelledRandom): number {
  for (;;) {
    const place = mean + deviation * random.normal();
    if (place >= 0 && place <= 1) return place;
  }
}

/** One kernel per point, the prior last. */
function choiceKernels(setting: ChoiceSetting, points: readonly SweepPoint[]): ChoiceKernel[] {
  const size = setting.values.length;
  const prior = new Array<number>(size).fill(1 / size);
  const share = 1 / (points.length + 1);
  const kernels = points.map((point) => {
    const value = point[setting.path];
    if (value === undefined) return prior;
    const own = setting.indexOf(value);
    return prior.map((_, index) => (share + (index === own ? 1 : 0)) / (1 + share * size));
  });
  return [...kernels, prior];
}

function observationWeights(count: number): number[] {
  const older = count - FULLY_WEIGHTED;
  return Array.from({ length: count }, (_, index) =>
    index >= older ? 1 : older === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * index) / (older - 1),
  );
}

function pick(probabilities: readonly number[], random: LabelledRandom): number {
  let rest = random.next();
  for (const [index, probability] of probabilities.entries()) {
    rest -= probability;
    if (rest < 0) return index;
  }
  return probabilities.length - 1;
}
