import { effect, signal } from '@preact/signals';
import { en } from '../../logic/messages/en.js';
import {
  type Catalogue,
  fillMessage,
  type MessageKey,
  type MessageValues,
} from '../../logic/messages/translate.js';
import { readSetting, writeSetting } from './settings.js';

export const LANGUAGES = { en: 'English', ja: '日本語' } as const;
export type Language = keyof typeof LANGUAGES;

const isLanguage = (value: string | null): value is Language => value !== null && value in LANGUAGES;

export const language = signal<Language>('en');
const catalogue = signal<Catalogue>(en);

/** What is said under a key, in the present language. */
export function t(key: MessageKey, values?: MessageValues): string {
  return fillMessage(catalogue.value[key], values);
}

/** Chosen last; its catalogue may still be under way. */
let wanted: Language = 'en';

/** Catalogues other than English are loaded when they are first chosen. */
export async function chooseLanguage(next: Language): Promise<void> {
  wanted = next;
  const loaded = next === 'ja' ? (await import('../../logic/messages/ja.js')).ja : en;
  if (wanted !== next) return;
  catalogue.value = loaded;
  language.value = next;
  writeSetting('language', next);
}

export async function startLanguage(): Promise<void> {
  const saved = readSetting('language');
  const preferred = navigator.language.slice(0, 2);
  const next = isLanguage(saved) ? saved : isLanguage(preferred) ? preferred : 'en';
  effect(() => {
    document.documentElement.lang = language.value;
  });
  if (next !== 'en') await chooseLanguage(next);
}
