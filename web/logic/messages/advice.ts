import type { MessageKey } from './translate.js';

/** What to do about errors that end a training, by their code. */
export const ADVICE: Readonly<Record<string, MessageKey>> = {
  'loss-not-finite': 'advice.lossNotFinite',
  'out-of-disk': 'advice.disk',
  'disk-quota-exceeded': 'advice.disk',
  'host-died': 'advice.hostDied',
  'corpus-unavailable': 'advice.corpus',
  'corpus-not-found': 'advice.corpus',
  'corpus-too-short': 'advice.corpusTooShort',
  'checkpoint-corrupt': 'advice.checkpoint',
  'backend-unavailable': 'advice.backend',
};
