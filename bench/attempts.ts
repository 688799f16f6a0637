/** What trainings leave behind, and whether their attempts kept apart. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReceivedEvent, readEvents } from './follower.js';
import type { RestartableServer } from './restartable-server.js';

/** What a training leaves behind. */
export interface Remains {
  readonly digest: string;
  /** SHA-256 of the files at the server: best weights, last checkpoint. */
  readonly files: readonly string[];
  /** Figures of each epoch, without times. */
  readonly epochs: readonly string[];
}

const FROM_TRAINERS = [
  'started',
  'step',
  'epoch',
  'sample',
  'warning',
  'checkpoint',
  'rollback',
  'succeeded',
];

export async function remainsOf(server: RestartableServer, dataDir: string, id: string): Promise<Remains> {
  const folder = join(dataDir, 'experiments', id);
  const { file } = JSON.parse(readFileSync(join(folder, 'checkpoints/latest.json'), 'utf8')) as {
    file: string;
  };
  const events = await readEvents(server, id);
  const epochs = new Map<unknown, string>();
  for (const { type, data } of events) {
    if (type !== 'epoch') continue;
    const { tokensPerSecond: _speed, seconds: _seconds, remainingSeconds: _rest, ...figures } = data;
    epochs.set(data.epoch, JSON.stringify(figures));
  }
  return {
    digest: String(events.at(-1)?.data.digest),
    files: ['model/weights.safetensors', join('checkpoints', file)].map((each) =>
      createHash('sha256')
        .update(readFileSync(join(folder, each)))
        .digest('hex'),
    ),
    epochs: [...epochs.values()],
  };
}

export function attemptsOf(events: readonly ReceivedEvent[]): number {
  return events.filter(({ type }) => type === 'preparing').length;
}

/** Number of stored events that the trainer of an attempt sent. */
export function eventsOfAttempt(events: readonly ReceivedEvent[], attempt: number): number {
  let current = 0;
  return events.filter(({ type }) => {
    if (type === 'preparing') current += 1;
    return current === attempt && FROM_TRAINERS.includes(type);
  }).length;
}

/** Places where an attempt told something twice, or something is stored that another attempt told. */
export function attemptsThatMix(id: string, events: readonly ReceivedEvent[]): string[] {
  const violations: string[] = [];
  let attempt = 0;
  let step = 0;
  for (const { seq, type, data } of events) {
    if (type === 'preparing') {
      attempt += 1;
      step = -1;
      if (data.attempt !== attempt) violations.push(`${id}: attempt ${data.attempt} follows ${attempt - 1}`);
    }
    if (type === 'started') {
      if (data.attempt !== attempt)
        violations.push(`${id}: event ${seq} is of attempt ${data.attempt}, not ${attempt}`);
      if (step !== -1) violations.push(`${id}: attempt ${attempt} started twice`);
      step = (data.resumedFrom as { step: number } | null)?.step ?? 0;
    }
    if (type !== 'step') continue;
    if (Number(data.step) <= step)
      violations.push(`${id}: step ${data.step} follows ${step}, attempt ${attempt}`);
    step = Number(data.step);
  }
  return violations;
}
