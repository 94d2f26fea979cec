import { beforeEach, expect, test } from 'vitest';
import type { Client, MessageView } from '../../src/client/types.ts';
import { forgetChats, historyOf, PAGE, renewChat } from '../../src/ui/chat/history.ts';
import { loadOlder } from '../../src/ui/chat/older.ts';

const message = (n: number, part: Partial<MessageView> = {}): MessageView => ({ id: String(n), conversation: 'c', sender: 'a', senderName: 'A', mine: false, sent: n, time: n, kind: 'text', text: `${n}`, edited: false, deleted: false, status: null, reactions: [], deliveredTo: [], readBy: [], ...part });

class Store {
  all: MessageView[] = [];
  asked: number[] = [];

  async messages(_id: string, { before, limit = PAGE }: { before?: MessageView; limit?: number } = {}): Promise<MessageView[]> {
    this.asked.push(limit);
    const end = before ? this.all.findIndex((each) => each.id === before.id) : this.all.length;
    return structuredClone(this.all.slice(Math.max(0, end - limit), end));
  }
}

let store: Store;
let client: Client;
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

beforeEach(() => {
  forgetChats();
  store = new Store();
  store.all = Array.from({ length: 400 }, (_, index) => message(index));
  client = store as unknown as Client;
});

test('a chat opens with its newest page and grows by pages', async () => {
  const history = historyOf(client, 'c');
  await settled();
  expect(history.messages.peek()?.length).toBe(PAGE);
  expect(history.messages.peek()?.at(-1)?.id).toBe('399');
  await loadOlder(client, history);
  expect(history.messages.peek()?.length).toBe(2 * PAGE);
  for (let page = 0; page < 20; page += 1) await loadOlder(client, history);
  expect(history.messages.peek()?.map((each) => each.id)).toEqual(store.all.map((each) => each.id));
  expect(history.complete).toBe(true);
});

test('news keep what is loaded, and unchanged messages stay the same objects', async () => {
  const history = historyOf(client, 'c');
  await settled();
  await loadOlder(client, history);
  const before = history.messages.peek() ?? [];
  store.all.push(message(400));
  store.all[399] = message(399, { edited: true });
  renewChat(client, 'c');
  await settled();
  const after = history.messages.peek() ?? [];
  expect(after.length).toBe(before.length + 1);
  expect(after[0]).toBe(before[0]);
  expect(after[98]).toBe(before[98]);
  expect(after[99]).not.toBe(before[99]);
  expect(after[99]?.edited).toBe(true);
  expect(after.at(-1)?.id).toBe('400');
});

test('many events while loading cost one more load', async () => {
  const history = historyOf(client, 'c');
  for (let event = 0; event < 20; event += 1) renewChat(client, 'c');
  await settled();
  expect(store.asked.length).toBe(2);
  expect(history.busy).toBe(false);
});

test('a chat at its end does not keep thousands of messages', async () => {
  const history = historyOf(client, 'c');
  await settled();
  history.atEnd = false;
  for (let page = 0; page < 10; page += 1) await loadOlder(client, history);
  expect(history.messages.peek()?.length).toBe(400);
  history.atEnd = true;
  store.all.push(message(400));
  renewChat(client, 'c');
  await settled();
  expect(history.messages.peek()?.length).toBe(2 * PAGE);
  expect(history.complete).toBe(false);
  await loadOlder(client, history);
  expect(history.messages.peek()?.length).toBe(3 * PAGE);
});
