import type {
  CorpusInfo,
  CorpusPreview,
  SplitName,
  TokenFigures,
  TokenizerConfig,
} from '../../../src/contracts/corpus.js';
import { addressOf } from './address.js';
import { ProblemError, UnreachableError } from './problem.js';
import { authorization, request } from './request.js';

const pathOf = (name: string) => `/corpora/${encodeURIComponent(name)}`;

export async function listCorpora(): Promise<readonly CorpusInfo[]> {
  return (await request<{ items: CorpusInfo[] }>('/corpora')).items;
}

export function getCorpus(name: string): Promise<CorpusInfo> {
  return request(pathOf(name));
}

export function getPreview(
  name: string,
  split: SplitName,
  characters: number,
  signal?: AbortSignal,
): Promise<CorpusPreview> {
  return request(`${pathOf(name)}/preview?split=${split}&characters=${characters}`, { signal });
}

/** What a tokenizer would make of a corpus; what is left out is as the server has it. */
export function countTokens(
  name: string,
  tokenizer: { readonly type: TokenizerConfig['type']; readonly vocabularySize?: number },
): Promise<TokenFigures> {
  return request(`${pathOf(name)}/tokens`, { method: 'POST', body: { tokenizer } });
}

export function deleteCorpus(name: string): Promise<void> {
  return request(pathOf(name), { method: 'DELETE' });
}

export interface Upload {
  readonly done: Promise<CorpusInfo>;
  cancel(): void;
}

/** Uploads a form; by XMLHttpRequest, which alone says how far it is. @param onProgress from 0 to 1 */
export function uploadCorpus(form: FormData, onProgress: (part: number) => void): Upload {
  const call = new XMLHttpRequest();
  const done = new Promise<CorpusInfo>((resolve, reject) => {
    call.open('POST', addressOf('/corpora'));
    for (const [name, value] of Object.entries(authorization())) call.setRequestHeader(name, value);
    call.responseType = 'json';
    call.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    call.onload = () => {
      if (call.status === 201) resolve(call.response as CorpusInfo);
      else reject(new ProblemError(call.response ?? { detail: `${call.status} ${call.statusText}` }));
    };
    call.onerror = () => reject(new UnreachableError('the upload was cut'));
    call.onabort = () => reject(new DOMException('The upload was cancelled', 'AbortError'));
    call.send(form);
  });
  return { done, cancel: () => call.abort() };
}
