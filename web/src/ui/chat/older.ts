/** Goes back in a chat's history. */
import type { Client } from '../../client/types.ts';
import { PAGE, load, type History } from './history.ts';

/** Loads one page of older messages. */
export async function loadOlder(from: Client, history: History): Promise<void> {
  const before = history.messages.peek();
  const oldest = before?.[0];
  if (history.busy || history.complete || !before || !oldest) return;
  history.busy = true;
  try {
    const older = await from.messages(history.id, { before: oldest, limit: PAGE });
    history.complete = older.length < PAGE;
    history.messages.value = [...older, ...before];
  } finally {
    history.busy = false;
    if (history.again) void load(from, history);
  }
}
