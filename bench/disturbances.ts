import { createRandom } from './seeded-random.js';

/** Something that fails, and for how long. */
export interface Disturbance {
  readonly atSeconds: number;
  readonly kind: 'kill-trainer' | 'cut-trainer' | 'kill-redis' | 'kill-server';
  /** Number of the trainer; null for Redis and the server. */
  readonly trainer: number | null;
  /** Time until it is started again or reachable again. */
  readonly seconds: number;
}

export interface DisturbanceOptions {
  readonly seed: number;
  readonly trainers: number;
  /** How long trainers are cut off, each time. */
  readonly cutSeconds: readonly number[];
  readonly trainerKills: number;
  readonly redisKills: number;
  readonly serverKills: number;
  /** Mean time between two disturbances. */
  readonly gapSeconds: number;
}

/** Longest time that what was killed stays down. */
const MAX_DOWN_SECONDS = 8;
/** Time that a process has to come back before it is disturbed again. */
const RECOVERY_SECONDS = 10;

/** The same plan for the same options: long cuts first, because others happen during them, the rest in random order. */
export function planDisturbances(options: DisturbanceOptions): Disturbance[] {
  const { seed, trainers, gapSeconds } = options;
  const random = createRandom(seed);
  const freeAt = new Map<string, number>();
  const nameOf = (trainer: number) => `trainer ${trainer}`;
  let now = 0;
  return order(options, random).map(({ kind, seconds }) => {
    now += gapSeconds * (0.5 + random());
    const candidates =
      kind === 'kill-trainer' || kind === 'cut-trainer'
        ? Array.from({ length: trainers }, (_, trainer) => nameOf(trainer))
        : [kind];
    now = Math.max(now, Math.min(...candidates.map((name) => freeAt.get(name) ?? 0)));
    const free = candidates.filter((name) => (freeAt.get(name) ?? 0) <= now);
    const chosen = free[Math.floor(random() * free.length)]!;
    freeAt.set(chosen, now + seconds + RECOVERY_SECONDS);
    const trainer = chosen === kind ? null : Number(chosen.split(' ')[1]);
    return { atSeconds: Number(now.toFixed(1)), kind, trainer, seconds };
  });
}

type Kind = Pick<Disturbance, 'kind' | 'seconds'>;

function order(
  { cutSeconds, trainerKills, redisKills, serverKills }: DisturbanceOptions,
  random: () => number,
): Kind[] {
  const cuts = [...cutSeconds]
    .sort((a, b) => b - a)
    .map((seconds): Kind => ({ kind: 'cut-trainer', seconds }));
  const kills = (kind: Disturbance['kind'], count: number) =>
    Array.from({ length: count }, (): Kind => ({ kind, seconds: Math.round(random() * MAX_DOWN_SECONDS) }));
  const [longest, ...otherCuts] = cuts;
  const others = [
    ...otherCuts,
    ...kills('kill-trainer', trainerKills),
    ...kills('kill-redis', redisKills),
    ...kills('kill-server', serverKills),
  ];
  return [...(longest ? [longest] : []), ...shuffled(others, random)];
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
