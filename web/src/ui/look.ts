/** Theme and language before the client is there; remembered only so that the first paint is right. */
import type { Settings } from '../client/types.ts';
import { chooseLanguage, loadLanguage } from './text/index.ts';

export type Look = Pick<Settings, 'theme' | 'language'>;
const KEY = 'polynya look';
const DEFAULT: Look = { theme: 'system', language: 'auto' };

/** Storage may be refused or hold anything. */
export function readLook(): Look {
  try {
    const [theme, language] = (localStorage.getItem(KEY) ?? '').split(' ');
    return {
      theme: theme === 'light' || theme === 'dark' ? theme : DEFAULT.theme,
      language: language === 'en' || language === 'ru' ? language : DEFAULT.language,
    };
  } catch {
    return DEFAULT;
  }
}

export function rememberLook(look: Look): void {
  try {
    localStorage.setItem(KEY, `${look.theme} ${look.language}`);
  } catch {
    // Only the first paint of the next start suffers.
  }
}

export function forgetLook(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing was kept then.
  }
}

const dark = matchMedia('(prefers-color-scheme: dark)');

export function applyTheme(theme: Settings['theme']): void {
  const effective = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
  document.documentElement.dataset['theme'] = effective;
  document.querySelector('meta[name=theme-color]')?.setAttribute('content', effective === 'dark' ? '#101a21' : '#ffffff');
  dark.onchange = () => applyTheme(theme);
}

export async function applyLook(look: Look): Promise<void> {
  applyTheme(look.theme);
  await loadLanguage(chooseLanguage(look.language));
}
