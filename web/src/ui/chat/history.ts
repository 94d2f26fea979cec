/** The loaded part of each conversation's history, kept while the app runs so that a chat opens at once and where it was left. */
import { reuse } from '../reuse.ts';
import { signal, type Signal } from '../signals.ts';
import type { Client, Hex, MessageView } from '../../client/types.ts';

/** Three phone screens of short messages. */
export const PAGE = 50;
/** A chat at its end is cut back to this when it has grown past twice as much. */
const TRIMMED = 2 * PAGE;
/** Chats kept loaded; the one used longest ago goes first. */
const KEPT = 12;

export interface Place {
  /** The first visible message and its distance from the top; null at the end of the chat. */
  id: Hex;
  offset: number;
}

export interface History {
  readonly id: Hex;
  readonly messages: Signal<readonly MessageView[] | null>;
  /** Nothing older exists. */
  complete: boolean;
  place: Place | null;
  /** Set while the chat is at its end. */
  atEnd: boolean;
  busy: boolean;
  again: boolean;
}

const histories = new Map<Hex, History>();

export function forgetChats(): void {
  histories.clear();
}

export function historyOf(from: Client, id: Hex): History {
  let found = histories.get(id);
  if (found) histories.delete(id);
  else found = { id, messages: signal(null), complete: false, place: null, atEnd: true, busy: false, again: false };
  histories.set(id, found);
  if (histories.size > KEPT) histories.delete(histories.keys().next().value as Hex);
  if (found.messages.peek() === null) void load(from, found);
  return found;
}

/** Loads the newest messages anew, as many as are loaded. One load at a time; what comes meanwhile makes it run once more. */
export async function load(from: Client, history: History): Promise<void> {
  if (history.busy) {
    history.again = true;
    return;
  }
  history.busy = true;
  try {
    do {
      history.again = false;
      const before = history.messages.peek() ?? [];
      const trim = history.atEnd && before.length > 2 * TRIMMED;
      const limit = trim ? TRIMMED : Math.max(before.length + PAGE / 2, PAGE);
      const loaded = await from.messages(history.id, { limit });
      // Where everything is loaded nothing is cut: a message of ours that waited may have moved behind newer ones.
      const start = before.length > 0 && !trim && !history.complete ? loaded.findIndex((message) => message.id === before[0]?.id) : 0;
      const kept = start > 0 ? loaded.slice(start) : loaded;
      history.complete = start > 0 ? history.complete : loaded.length < limit;
      history.messages.value = reuse(before, kept);
    } while (history.again);
  } finally {
    history.busy = false;
  }
}

export function renewChat(from: Client, id: Hex): void {
  const history = histories.get(id);
  if (history) void load(from, history);
}
