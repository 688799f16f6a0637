import { type InferenceTask, TASK_PARTS, type TaskInput } from '../contracts/jobs.js';
import { ScorePart } from '../contracts/score.js';
import type { RunOptions } from './inference-executor.js';

/**
 * Passes a part of a task to its listener, and sends the next piece of input when the task wants more.
 * @throws errors of the listener or the input
 */
export async function takePart(
  type: InferenceTask['type'],
  part: unknown,
  { onPart, input }: RunOptions<never>,
  sendInput: (input: TaskInput) => void,
): Promise<void> {
  if (!(type in TASK_PARTS)) return;
  const parsed = TASK_PARTS[type as keyof typeof TASK_PARTS].parse(part);
  const handled = onPart?.(parsed as never);
  await handled;
  const asked = input && ScorePart.safeParse(parsed);
  if (!asked?.success || !asked.data.wantsMore) return;
  const { done, value } = await input!.next();
  sendInput(done ? null : value);
}
