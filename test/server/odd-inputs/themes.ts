/** All odd inputs, by what is odd in them. */
import type { OddInput } from './ask.js';
import { configInputs } from './configs.js';
import { corpusInputs } from './corpora.js';
import { formInputs } from './forms.js';
import { headInputs } from './heads.js';
import { importInputs } from './imports.js';
import { openAiInputs } from './openai.js';
import { promptInputs } from './prompts.js';
import { queryInputs } from './queries.js';
import { samplingInputs } from './sampling.js';
import { uploadTexts } from './upload-texts.js';
import { vocabularyInputs } from './vocabularies.js';

export const THEMES = {
  'texts and encodings of an upload': uploadTexts,
  'forms of an upload': formInputs,
  'names of corpora, and questions about one': corpusInputs,
  'configs, names, tags and notes': configInputs,
  'prompts, and texts to score and to rank': promptInputs,
  'settings of sampling, and states of sessions': samplingInputs,
  'addresses, queries, pages, events and sockets': queryInputs,
  'heads and bodies of requests': headInputs,
  'weights from elsewhere': importInputs,
  'vocabularies, tokenizers and configs beside them': vocabularyInputs,
  'OpenAI’s routes': openAiInputs,
} satisfies Readonly<Record<string, readonly OddInput[]>>;
