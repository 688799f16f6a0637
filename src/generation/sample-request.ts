import type { TextRequest } from './text-writing.js';

/** What a text from nothing is written with, where a request gives no more: the model's own distribution. */
export function sampleRequest(
  request: Pick<TextRequest, 'maxTokens' | 'temperature' | 'seed'> & Partial<Pick<TextRequest, 'topK'>>,
): TextRequest {
  return {
    prompt: '',
    topK: 0,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
    stop: [],
    suppressUnknown: true,
    ...request,
  };
}
