/** People, chats and messages for the demonstration client, in two languages. */
import type { ContactView, ConversationView, FileView, Hex, InviteView, MemberView, MessageView, OpenedInvite, RequestView, SystemView } from '../../src/client/types.ts';

export interface World {
  me: { identity: Hex; name: string; fingerprint: string[] };
  conversations: ConversationView[];
  messages: Map<Hex, MessageView[]>;
  contacts: ContactView[];
  requests: RequestView[];
  invites: InviteView[];
  opened: OpenedInvite[];
  inviter: Partial<OpenedInvite>;
  drafts: Record<Hex, string>;
  files: Map<Hex, Blob | Promise<Blob>>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A stable id whose first digits decide the colour. */
const hex = (colour: number, n: number): Hex => (colour + 8 * n).toString(16).padStart(6, '0') + n.toString(16).padStart(58, '0');
const chatId = (colour: number, n: number): Hex => (colour + 8 * n).toString(16).padStart(6, '0') + n.toString(16).padStart(26, '0');

const PEOPLE = {
  en: ['You', 'Anna Lindqvist', 'Boris', 'Clara Voss', 'Dmitri', 'Elena Petrova', 'Farid', 'Grandma', 'Weather bot'],
  ru: ['Вы', 'Анна Линд', 'Борис', 'Клара Фосс', 'Дмитрий', 'Елена Петрова', 'Фарид', 'Бабушка', 'Погодный бот'],
} as const;
const COLOURS = [5, 3, 0, 6, 1, 7, 4, 2, 5];

type Line = readonly [from: number, ago: number, text: string, extra?: Partial<MessageView>];

function landscape(): Promise<{ blob: Blob; preview: Uint8Array }> {
  const paint = (width: number, height: number): HTMLCanvasElement => {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const sky = context.createLinearGradient(0, 0, 0, height * 0.62);
    sky.addColorStop(0, '#274b7a');
    sky.addColorStop(0.55, '#d98a6a');
    sky.addColorStop(1, '#f7d9a2');
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#fff3cf';
    context.beginPath();
    context.arc(width * 0.66, height * 0.5, height * 0.06, 0, 7);
    context.fill();
    const ridge = (base: number, colour: string, bumps: number, size: number): void => {
      context.fillStyle = colour;
      context.beginPath();
      context.moveTo(0, height);
      for (let x = 0; x <= width; x += width / 120) context.lineTo(x, height * base - Math.abs(Math.sin((x / width) * bumps)) * height * size - Math.sin((x / width) * bumps * 3.7) * height * size * 0.16);
      context.lineTo(width, height);
      context.fill();
    };
    ridge(0.62, '#7d6b86', 7, 0.2);
    ridge(0.68, '#4d5372', 11, 0.12);
    const water = context.createLinearGradient(0, height * 0.66, 0, height);
    water.addColorStop(0, '#c98d77');
    water.addColorStop(1, '#1b3b5c');
    context.fillStyle = water;
    context.fillRect(0, height * 0.68, width, height * 0.32);
    context.fillStyle = '#ffffffcc';
    for (let index = 0; index < 14; index += 1) {
      const x = ((index * 0.37) % 1) * width;
      const y = height * (0.72 + ((index * 0.61) % 1) * 0.24);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + width * 0.05, y - height * 0.012);
      context.lineTo(x + width * 0.11, y + height * 0.004);
      context.lineTo(x + width * 0.06, y + height * 0.018);
      context.fill();
    }
    return canvas;
  };
  const blob = (canvas: HTMLCanvasElement): Promise<Blob> => new Promise((resolve) => canvas.toBlob((made) => resolve(made as Blob), 'image/jpeg', 0.85));
  return Promise.all([blob(paint(1200, 800)), blob(paint(30, 20))]).then(async ([large, small]) => ({ blob: large, preview: new Uint8Array(await small.arrayBuffer()) }));
}

export async function makeWorld(language: 'en' | 'ru', scene: string): Promise<World> {
  const en = language === 'en';
  const names = PEOPLE[language];
  const now = Date.now();
  const identity = (n: number): Hex => hex(COLOURS[n] as number, n + 1);
  const nameOf = (n: number): string => names[n] as string;
  const say = (english: string, russian: string): string => (en ? english : russian);
  const me = { identity: identity(0), name: say('Mila', 'Мила'), fingerprint: ['48210', '77135', '09264', '55871', '31420', '86093', '12757', '60348'] };
  const member = (n: number, part: Partial<MemberView> = {}): MemberView => ({ identity: identity(n), name: n === 0 ? me.name : nameOf(n), admin: false, me: n === 0, verified: false, ...part });
  const files = new Map<Hex, Blob | Promise<Blob>>();
  const messages = new Map<Hex, MessageView[]>();
  let counter = 0;
  const picture = await landscape();

  const talk = (conversation: Hex, lines: readonly Line[]): MessageView[] => {
    const made = lines.map(([from, ago, text, extra = {}]): MessageView => {
      counter += 1;
      const mine = from === 0;
      const sent = now - ago;
      return { id: counter.toString(16).padStart(32, '0'), conversation, sender: identity(from), senderName: mine ? me.name : nameOf(from), mine, sent, time: sent + 400, kind: 'text', text, edited: false, deleted: false, status: mine ? 'read' : null, reactions: [], deliveredTo: [], readBy: [], ...extra };
    });
    messages.set(conversation, made);
    return made;
  };
  const system = (view: SystemView): Partial<MessageView> => ({ kind: 'system', system: view, status: null });
  const file = (view: FileView): Partial<MessageView> => ({ kind: 'file', file: view });
  const photo = (caption?: string): Partial<MessageView> => file({ name: 'IMG_2043.jpg', mediaType: 'image/jpeg', size: picture.blob.size, width: 1200, height: 800, preview: picture.preview, ...(caption ? { caption } : {}) });

  const anna = chatId(3, 31);
  const trip = chatId(4, 32);
  const boris = chatId(0, 33);
  const family = chatId(6, 34);
  const clara = chatId(6, 35);
  const grandma = chatId(2, 36);
  const bot = chatId(5, 37);
  const removed = chatId(1, 38);

  const annaTalk = talk(anna, [
    [1, DAY + 3 * HOUR, say('Are you still at the lake?', 'Ты ещё на озере?')],
    [0, DAY + 3 * HOUR - 2 * MINUTE, say('Yes! Until Sunday. The ice opened up this morning', 'Да! До воскресенья. Утром вскрылся лёд')],
    [0, DAY + 3 * HOUR - 3 * MINUTE, '', photo()],
    [1, DAY + 2 * HOUR, say('Oh wow 😍', 'Ого 😍'), { reactions: [{ emoji: '❤️', by: [identity(0)], mine: true }] }],
    [1, DAY + 2 * HOUR - MINUTE, say('Is that the whole bay?', 'Это вся бухта?')],
    [0, 2 * HOUR, say('Only the northern part. Here is the map, see page 4: https://example.org/maps/north-bay.pdf', 'Только северная часть. Вот карта, страница 4: https://example.org/maps/north-bay.pdf')],
    [0, 2 * HOUR - MINUTE, '', file({ name: say('north bay, field notes.pdf', 'северная бухта, заметки.pdf'), mediaType: 'application/pdf', size: 2_418_330 })],
    [1, 95 * MINUTE, say('Thank you, I will print it for the trip', 'Спасибо, распечатаю к поездке')],
    [1, 94 * MINUTE, say('Can we talk tonight? My other messenger stopped working again and I do not want to lose you', 'Созвонимся вечером? Мой мессенджер опять не работает, не хочу тебя потерять')],
    [0, 40 * MINUTE, say('Of course. This one works here without anything special, I just opened your link', 'Конечно. Этот тут работает без всего, я просто открыла твою ссылку'), { edited: true }],
    [1, 38 * MINUTE, '🎉🎉'],
  ]);
  const asked = annaTalk[8] as MessageView;
  annaTalk.push(
    ...talk('', [
      [0, 12 * MINUTE, say('Seven o’clock?', 'В семь?'), { conversation: anna, replyTo: { id: asked.id, senderName: asked.senderName, text: asked.text ?? '', kind: 'text' } }],
      [1, 9 * MINUTE, say('Perfect', 'Отлично'), { conversation: anna, reactions: [{ emoji: '👍', by: [identity(0), identity(1)], mine: true }] }],
      [0, 5 * MINUTE, say('I will bring the tea', 'С меня чай'), { conversation: anna, status: 'read' }],
      [0, 4 * MINUTE, say('And the photos from last year', 'И фотографии с прошлого года'), { conversation: anna, status: 'delivered' }],
    ]),
  );
  messages.set(anna, annaTalk);

  const tripMembers = [member(0, { admin: true }), member(1, { verified: true }), member(2), member(3, { admin: true }), member(4), member(8)];
  const tripTalk = talk(trip, [
    [3, 3 * DAY, '', system({ kind: 'created', by: identity(3), subjects: [] })],
    [3, 3 * DAY - 1000, '', system({ kind: 'added', by: identity(3), subjects: [identity(0), identity(1), identity(2)] })],
    [3, 5 * HOUR, say('Who brings the tent?', 'Кто берёт палатку?')],
    [2, 5 * HOUR - MINUTE, say('Me. The big one, four people fit', 'Я. Большую, влезут четверо')],
    [2, 5 * HOUR - 2 * MINUTE, say('I also have a stove', 'И горелку')],
    [1, 4 * HOUR, '', photo(say('Here, from the north side', 'Вот отсюда, с севера'))],
    [0, 4 * HOUR - MINUTE, say('Beautiful. I am in', 'Красота. Я с вами'), { reactions: [{ emoji: '🔥', by: [identity(1), identity(2), identity(3)], mine: false }, { emoji: '👍', by: [identity(0)], mine: true }] }],
    [0, 3 * HOUR, '', system({ kind: 'added', by: identity(0), subjects: [identity(8)] })],
    [8, 3 * HOUR - MINUTE, say('Saturday: −4 °C, light wind, no snow.', 'Суббота: −4 °C, слабый ветер, без снега.')],
    [3, 26 * MINUTE, say('Then Saturday at eight, at the old station', 'Тогда в субботу в восемь, у старой станции')],
    [4, 22 * MINUTE, say('Can I still come? I only saw this now', 'Мне ещё можно? Только увидел')],
    [3, 21 * MINUTE, say('Of course!', 'Конечно!'), { replyTo: { id: 'f'.repeat(32), senderName: nameOf(4), text: say('Can I still come? I only saw this now', 'Мне ещё можно? Только увидел'), kind: 'text' } }],
  ]);
  for (const message of tripTalk) if (message.mine && message.kind === 'text') Object.assign(message, { readBy: [identity(1), identity(2)], deliveredTo: [identity(1), identity(2), identity(3)] });

  talk(boris, [
    [2, DAY, say('Did the parcel arrive?', 'Посылка пришла?')],
    [0, DAY - HOUR, say('Not yet', 'Ещё нет')],
    [0, 3 * MINUTE, say('It is here now!', 'Пришла!'), { status: 'waiting', time: null }],
    [0, 2 * MINUTE, say('Thank you for the book', 'Спасибо за книгу'), { status: 'waiting', time: null }],
  ]);
  talk(family, [[7, 6 * HOUR, say('Call me when you are home', 'Позвони, как будешь дома')]]);
  talk(clara, [[3, 2 * DAY, say('See you on Thursday', 'До четверга')], [3, 2 * DAY - MINUTE, '', { deleted: true }]]);
  talk(grandma, [[7, 3 * DAY, say('How do I make the letters larger?', 'Как сделать буквы крупнее?')], [0, 3 * DAY - HOUR, say('I will show you on Sunday ❤️', 'Покажу в воскресенье ❤️')]]);
  talk(bot, [[0, 4 * DAY, say('Weather tomorrow', 'Погода на завтра')], [8, 4 * DAY - 1000, say('Tomorrow: −2 °C, clear.', 'Завтра: −2 °C, ясно.')]]);
  talk(removed, [[4, 9 * DAY, say('Old group', 'Старая группа')], [4, 8 * DAY, '', system({ kind: 'removed', by: identity(4), subjects: [identity(0)] })]]);

  const chat = (id: Hex, part: Partial<ConversationView>): ConversationView => {
    const last = messages.get(id)?.at(-1);
    const text = last?.deleted ? '' : last?.kind === 'system' ? (last.system?.kind ?? '') : (last?.text ?? '') || (last?.file?.name ?? '');
    return {
      id,
      kind: 'direct',
      name: '',
      members: [],
      admin: false,
      canSend: true,
      canAdd: false,
      state: 'active',
      last: last ? { sender: last.sender, kind: last.kind, text, time: last.sent, mine: last.mine, status: last.status } : null,
      unread: 0,
      problem: null,
      postQuantum: true,
      canMove: false,
      pending: false,
      activity: last?.sent ?? now,
      ...part,
    };
  };
  const conversations: ConversationView[] = [
    chat(anna, { name: nameOf(1), members: [member(0), member(1, { verified: true })] }),
    chat(trip, { kind: 'group', name: say('Lake trip', 'Поездка на озеро'), members: tripMembers, admin: true, canAdd: true, unread: 3, postQuantum: false, canMove: true }),
    chat(boris, { name: nameOf(2), members: [member(0), member(2)] }),
    chat(family, { kind: 'group', name: say('Family', 'Семья'), members: [member(0), member(7, { admin: true }), member(5)], unread: 1 }),
    chat(clara, { name: nameOf(3), members: [member(0), member(3)] }),
    chat(grandma, { name: nameOf(7), members: [member(0), member(7, { verified: true })] }),
    chat(bot, { name: nameOf(8), members: [member(0), member(8)] }),
    chat(removed, { kind: 'group', name: say('Old group', 'Старая группа'), members: [member(4, { admin: true })], state: 'removed', canSend: false }),
  ];
  const contacts: ContactView[] = [1, 2, 3, 5, 6, 7, 8].map((n) => {
    const own = conversations.find((each) => each.kind === 'direct' && each.members.some((each_) => each_.identity === identity(n)));
    return { identity: identity(n), name: nameOf(n), verified: n === 1 || n === 7, blocked: n === 6, conversation: own?.id ?? null };
  });
  const world: World = {
    me,
    conversations,
    messages,
    contacts,
    requests: [{ id: '9'.padStart(32, '0'), identity: identity(5), name: nameOf(5), text: say('Hi Mila, it is Elena from the choir. Anna gave me your link.', 'Мила, привет, это Елена из хора. Ссылку дала Анна.'), time: now - 15 * MINUTE, fingerprint: ['90311', '24876', '65502', '18849', '73017', '40268', '99530', '07714'] }],
    invites: [],
    opened: [],
    inviter: { name: nameOf(1), identity: identity(1), state: 'opened' },
    drafts: { [clara]: say('Could you bring the', 'Захвати, пожалуйста,') },
    files,
  };
  for (const all of messages.values()) for (const message of all) if (message.file?.mediaType === 'image/jpeg') files.set(message.id, picture.blob);
  for (const all of messages.values()) for (const message of all) if (message.file?.mediaType === 'application/pdf') files.set(message.id, new Blob(['%PDF-1.4']));
  if (scene === 'fresh' || scene === 'new' || scene === 'elsewhere') Object.assign(world, { conversations: [], contacts: [], requests: [] });
  if (scene === 'long') {
    const lines: Line[] = Array.from({ length: 3000 }, (_, index) => [index % 5 === 0 ? 0 : 1, (3000 - index) * 7 * MINUTE, `${index} ${say('A message like many others. ', 'Сообщение, каких много. ').repeat(1 + (index % 4))}`]);
    talk(anna, lines);
    world.conversations = Array.from({ length: 400 }, (_, index) => ({ ...(conversations[index % 7] as ConversationView), id: index === 0 ? anna : chatId(index % 8, 1000 + index), name: `${nameOf((index % 8) + 1)} ${index}`, activity: now - index * HOUR }));
  }
  return world;
}
