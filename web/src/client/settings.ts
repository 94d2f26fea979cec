/** What the app itself keeps: how it looks, and drafts. Read receipts are the core's. */
import { hex, utf8 } from '../crypto/bytes.ts';
import type { Storage } from './storage.ts';
import type { Hex, Settings } from './types.ts';

const SETTINGS = 'client/settings';
const DRAFTS = 'client/draft';
const EMPTY = new Uint8Array(0);

export type Look = Pick<Settings, 'theme' | 'language'>;
const DEFAULT: Look = { theme: 'system', language: 'auto' };

const text = (data: Uint8Array): string => new TextDecoder().decode(data);

export async function loadLook(storage: Storage): Promise<Look> {
  const row = await storage.own(SETTINGS, EMPTY);
  return row ? { ...DEFAULT, ...(JSON.parse(text(row)) as Partial<Look>) } : DEFAULT;
}

export function saveLook(storage: Storage, look: Look): Promise<void> {
  return storage.commit([{ type: 'Save', table: SETTINGS, key: EMPTY, value: utf8(JSON.stringify(look)) }]);
}

/** Drafts by conversation. */
export async function loadDrafts(storage: Storage): Promise<Map<Hex, string>> {
  const rows = await storage.ownAll(DRAFTS);
  return new Map(rows.map(([key, value]) => [hex(key), text(value)]));
}

export function saveDraft(storage: Storage, conversation: Uint8Array, draft: string): Promise<void> {
  const value = draft ? utf8(draft) : null;
  return storage.commit([{ type: 'Save', table: DRAFTS, key: conversation, value }]);
}
