import { readsTrainingCorpus } from '../../contracts/evaluation.js';
import type { InferenceTask } from '../../contracts/jobs.js';

/** A task that needs no file except those of its model. */
export type TravellingTask = Extract<
  InferenceTask,
  { readonly type: 'generate' | 'search' | 'rank' | 'score' | 'score-stream' | 'evaluate' }
>;

/** Whether another machine can run a task. Those that read a corpus or write files stay at the server. */
export function travels(task: InferenceTask): task is TravellingTask {
  switch (task.type) {
    case 'generate':
    case 'search':
    case 'rank':
      return true;
    case 'score':
    case 'score-stream':
      return !readsTrainingCorpus(task.request);
    case 'evaluate':
      return task.request.text !== undefined && !readsTrainingCorpus(task.request);
    case 'sample-quality':
    case 'estimate':
    case 'export':
    case 'import':
      return false;
    default:
      return task satisfies never;
  }
}
