import type { Experiment, GatelmClient, ProgressEvent } from '../../client/client.js';
import { EventData, type TrainingEvent } from '../../contracts/events.js';
import { askOnInterrupt } from '../ask-on-interrupt.js';
import { EXIT } from '../exit-codes.js';
import { decimal, duration, ProgressDisplay } from '../progress-display.js';

const CHOICES = [
  { key: 'l', text: 'Leave it running' },
  { key: 'p', text: 'pause' },
  { key: 'c', text: 'cancel it' },
  { key: 'w', text: 'keep watching' },
] as const;

/** Follows a training on a server to its end. @returns the exit code */
export async function follow(
  client: GatelmClient,
  { id, config, seq: present }: Experiment,
  { json = false, since = 0 }: { readonly json?: boolean; readonly since?: number },
): Promise<number> {
  const display = json ? null : new ProgressDisplay(process.stdout, config.training);
  const leave = new AbortController();
  const onInterrupt = () => {
    display?.hold();
    void askWhatToDo(client, id, leave).finally(() => display?.release());
  };
  process.on('SIGINT', onInterrupt);
  try {
    for await (const event of client.follow(id, { since, signal: leave.signal })) {
      if (json) console.log(JSON.stringify(event));
      display?.show(event);
      const code = event.seq < present ? undefined : exitCodeOf(event); // an earlier pause is over
      if (code === undefined) continue;
      display?.end();
      if (!json) console.log(lastLine(id, event));
      return code;
    }
    display?.end();
    return leave.signal.aborted ? EXIT.done : EXIT.error;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** The exit code for an event that ends a training; undefined for other events. */
function exitCodeOf({ type, data }: Pick<TrainingEvent, 'type' | 'data'>): number | undefined {
  switch (type) {
    case 'succeeded':
      return EXIT.done;
    case 'failed':
      return EXIT.trainingFailed;
    case 'cancelled':
    case 'paused':
      return EXIT.trainingStopped;
    case 'interrupted':
      return EventData.interrupted.parse(data).willRestart ? undefined : EXIT.trainingStopped;
    default:
      return undefined;
  }
}

/** Duration and perplexities of a training. */
export function describeSuccess(data: unknown): string {
  const { testPerplexity, validPerplexity, seconds } = EventData.succeeded.parse(data);
  return `done in ${duration(seconds)}: valid perplexity ${decimal(validPerplexity)}, test ${decimal(testPerplexity)}`;
}

function lastLine(id: string, { type, data }: ProgressEvent): string {
  if (type === 'succeeded') return `${describeSuccess(data)}\ngatelm generate ${id} --prompt "The"`;
  if (type === 'failed') return `failed: ${EventData.failed.parse(data).error.message}`;
  if (type === 'interrupted')
    return `interrupted: ${EventData.interrupted.parse(data).reason}\ngatelm resume ${id}`;
  return type === 'paused' ? `paused\ngatelm resume ${id}` : type;
}

/** Ctrl-C: the training runs on the server, so it continues unless the user chooses otherwise. */
async function askWhatToDo(client: GatelmClient, id: string, leave: AbortController): Promise<void> {
  switch (await askOnInterrupt(CHOICES)) {
    case 'p':
      await client.control(id, 'pause');
      break;
    case 'c':
      await client.control(id, 'cancel');
      break;
    case 'w':
      break;
    default:
      console.error(`Still running; to follow it: gatelm watch ${id}`);
      leave.abort();
  }
}
