/** Short notices at the bottom of the screen, and how failures become words. */
import { signal } from './signals.ts';
import { PolynyaError } from '../errors.ts';
import { fillText, loadLater, t } from './text/index.ts';

export interface Notice {
  id: number;
  text: string;
  bad: boolean;
}

export const notice = signal<Notice | null>(null);
let last = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const SHOWN_MS = 4_000;
/** Failures say what to do: that takes longer to read. */
const FAILURE_SHOWN_MS = 9_000;

export function notify(text: string, bad = false): void {
  last += 1;
  notice.value = { id: last, text, bad };
  clearTimeout(timer);
  timer = setTimeout(dismiss, bad ? FAILURE_SHOWN_MS : SHOWN_MS);
}

export function dismiss(): void {
  notice.value = null;
}

/** How browsers say that a part of the app did not come. */
const NOT_LOADED = /dynamically imported|module script|importing|preload/i;

export function codeOf(error: unknown): string {
  if (error instanceof Error && NOT_LOADED.test(error.message)) return 'load';
  return error instanceof PolynyaError ? error.code : error instanceof DOMException ? error.name.replace(/Error$/, '').toLowerCase() : 'unexpected';
}

/** What happened and what to do, for a code. */
export function words(code: string, values = {}): string {
  return fillText(`error:${code}`, values) ?? t('error:other', { code });
}

export function reportCode(code: string): void {
  void loadLater().then(() => notify(words(code), true));
}

/** Runs an action; a failure becomes a notice. Resolves to whether it went well. */
export async function attempt(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (codeOf(error) !== 'abort') reportCode(codeOf(error));
    return false;
  }
}
