import type { TextRequest } from './text-writing.js';

/** Defaults for generating without a prompt: samples the unchanged distribution of the model. */
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
