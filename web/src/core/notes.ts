/** What a conversation says of itself: system messages, problems, and a preview that follows its message. */
import { concat, utf8 } from '../crypto/bytes.ts';
import { sha256 } from '../crypto/hashes.ts';
import { same } from '../wire/bytes.ts';
import { cut, received, save, show } from './conversation.ts';
import type { StoredContent, SystemContent } from './history.ts';
import { me } from './identity.ts';
import { CONVERSATION } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** A system message; its id comes from `source` (a record hash) and its content, so that it is there once. */
export function showSystem(
  t: Transaction,
  conversation: Uint8Array,
  source: Uint8Array,
  by: Uint8Array,
  content: SystemContent,
  time: number,
  order: number,
): void {
  if (!t.get(CONVERSATION, conversation)) return;
  show(
    t,
    received({
      conversation,
      id: sha256(concat(source, utf8(content.kind), ...content.subjects)).slice(0, 16),
      sender: by,
      mine: same(by, me(t).identity),
      sent: time,
      time,
      order,
      content,
      status: null,
    }),
  );
}

/** The newest message changed. */
export function updatePreview(
  t: Transaction,
  conversation: Uint8Array,
  id: Uint8Array,
  changed: { readonly text?: string; readonly status?: string },
): void {
  const found = t.get(CONVERSATION, conversation);
  if (!found?.last || !same(found.last.id, id)) return;
  const text = changed.text === undefined ? found.last.text : cut(changed.text);
  save(t, { ...found, last: { ...found.last, ...changed, text } });
}

/** The newest message changed by our hand, if it is ours. */
export function updateOwnPreview(t: Transaction, conversation: Uint8Array, id: Uint8Array, text: string): void {
  if (t.get(CONVERSATION, conversation)?.last?.mine) updatePreview(t, conversation, id, { text });
}

/** Than a history that differs. */
const GRAVER: readonly (string | undefined)[] = ['relay-fraud', 'relay-lost-history', 'stuck'];

/** That the relay shows different histories nothing takes back: neither a lesser problem nor the end of one. */
function staysSaid(problem: string | undefined, code: string | undefined): boolean {
  return problem === 'history-differs' && !GRAVER.includes(code);
}

/** Shows a problem until it is replaced, once. */
export function setProblem(t: Transaction, conversation: Uint8Array, code: string | undefined): void {
  const found = t.get(CONVERSATION, conversation);
  if (!found || found.problem === code || staysSaid(found.problem, code)) return;
  save(t, { ...found, problem: code });
  if (code !== undefined) {
    work.count(t, code);
    t.notify({ type: 'ProblemRaised', conversation, code });
  }
}

/** What the list of conversations shows of a message that is no text. */
export function preview(content: StoredContent): { kind: string; text: string } {
  if (content.type === 'FileReference') return { kind: 'file', text: cut(content.caption || content.name) };
  if (content.type !== 'System') return { kind: 'unknown', text: '' };
  return { kind: content.kind === 'unknown' ? 'unknown' : 'system', text: content.kind };
}
