import { effect, signal } from '@preact/signals';
import { readSetting, writeSetting } from './settings.js';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const saved = readSetting('theme');
export const theme = signal<Theme>(THEMES.find((name) => name === saved) ?? 'system');

/** Counts up when colours change, for what draws them by itself. */
export const themeVersion = signal(0);

export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    themeVersion.value = themeVersion.peek() + 1;
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    themeVersion.value += 1;
  });
}

export function chooseTheme(next: Theme): void {
  theme.value = next;
  writeSetting('theme', next === 'system' ? null : next);
}

/** The present value of a colour of the style sheet, as a canvas takes it. */
export function colourOf(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
