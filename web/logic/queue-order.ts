/** A queued experiment: higher priorities start first, equal ones in order of arrival. */
export interface Queued {
  readonly id: string;
  readonly priority: number;
  readonly queuePosition: number | null;
}

const LARGEST = 100;

/**
 * Priorities that move one experiment of the queue to another place; only those that have to change.
 * @param queue in its present order
 */
export function planMove(queue: readonly Queued[], id: string, place: number): Map<string, number> {
  const moved = queue.find((queued) => queued.id === id);
  if (!moved) return new Map();
  const wanted = queue.filter((queued) => queued !== moved);
  wanted.splice(Math.max(0, Math.min(place, wanted.length)), 0, moved);
  const arrival = new Map(queue.map((queued, index) => [queued.id, index]));
  const priorities = wanted.map(({ priority }) => priority);
  // From the end upwards: each is at least as high as the next, and higher where it may have arrived later: who came first is
  // known of equal priorities alone.
  for (let index = wanted.length - 2; index >= 0; index--) {
    const [one, next] = [wanted[index]!, wanted[index + 1]!];
    const isEarlier = one.priority === next.priority && arrival.get(one.id)! < arrival.get(next.id)!;
    priorities[index] = Math.max(priorities[index]!, priorities[index + 1]! + (isEarlier ? 0 : 1));
  }
  const excess = Math.max(0, (priorities[0] ?? 0) - LARGEST);
  const changes = new Map<string, number>();
  wanted.forEach((queued, index) => {
    const priority = priorities[index]! - excess;
    if (priority !== queued.priority) changes.set(queued.id, priority);
  });
  return changes;
}
