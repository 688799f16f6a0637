/** What the reader chose, kept by the browser; never anything secret. A browser that keeps nothing is fine. */
export type Setting = 'language' | 'theme' | 'baseline' | 'chart';

export function readSetting(name: Setting): string | null {
  try {
    return localStorage.getItem(`gatelm.${name}`);
  } catch {
    return null;
  }
}

export function writeSetting(name: Setting, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`gatelm.${name}`);
    else localStorage.setItem(`gatelm.${name}`, value);
  } catch {
    // It holds until the page is closed.
  }
}
