/** What the app itself keeps: how it looks, and drafts. Read receipts are the core's. */
import { hex, utf8 } from '../crypto/bytes.ts';
import type { Row, Storage } from './storage.ts';
import type { Hex, Settings } from './types.ts';

export const SETTINGS = 'client/settings';
const DRAFTS = 'client/draft';

export type Look = Pick<Settings, 'theme' | 'language'>;
const DEFAULT: Look = { theme: 'system', language: 'auto' };

const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** From the client's own rows. */
export function lookOf(rows: readonly Row[]): Look {
  const row = rows.find(([table]) => table === SETTINGS);
  return { ...DEFAULT, ...(row && (JSON.parse(text(row[2])) as Partial<Look>)) };
}

/** Drafts by conversation, from the client's own rows. */
export function draftsOf(rows: readonly Row[]): Map<Hex, string> {
  return new Map(rows.filter(([table]) => table === DRAFTS).map(([, key, value]) => [hex(key), text(value)]));
}

export function saveDraft(storage: Storage, conversation: Uint8Array, draft: string): Promise<void> {
  const value = draft ? utf8(draft) : null;
  return storage.commit([{ type: 'Save', table: DRAFTS, key: conversation, value }]);
}
