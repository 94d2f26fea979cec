/** The emoji picker. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t, type TextKey } from '../text/index.ts';
import { closePopup } from './popup.ts';
import { addStyles } from './styles.ts';
import pickerCss from './picker.css?inline';

addStyles(pickerCss);

const GROUPS: readonly (readonly [label: TextKey, emoji: string])[] = [
  ['emoji:smileys', '😀 😃 😄 😁 😆 😅 🤣 😂 🙂 🙃 😉 😊 😇 🥰 😍 🤩 😘 😗 😚 😙 🥲 😋 😛 😜 🤪 😝 🤑 🤗 🤭 🤫 🤔 🫡 🤐 🤨 😐 😑 😶 😏 😒 🙄 😬 😮‍💨 🤥 😌 😔 😪 🤤 😴 😷 🤒 🤕 🤢 🤮 🤧 🥵 🥶 🥴 😵 🤯 🤠 🥳 🥸 😎 🤓 🧐 😕 🫤 😟 🙁 ☹️ 😮 😯 😲 😳 🥺 🥹 😦 😧 😨 😰 😥 😢 😭 😱 😖 😣 😞 😓 😩 😫 🥱 😤 😡 😠 🤬 😈 👿 💀 💩 🤡 👻 👽 🤖 😺 😸 😹 😻 😼 😽 🙀 😿 😾'],
  ['emoji:people', '👋 🤚 🖐️ ✋ 🖖 🫱 👌 🤌 🤏 ✌️ 🤞 🫰 🤟 🤘 🤙 👈 👉 👆 👇 ☝️ 👍 👎 ✊ 👊 🤛 🤜 👏 🙌 🫶 👐 🤲 🤝 🙏 ✍️ 💅 🤳 💪 👂 👃 🧠 👀 👁️ 👅 👄 👶 🧒 👦 👧 🧑 👱 👨 🧔 👩 🧓 👴 👵 🙍 🙎 🙅 🙆 💁 🙋 🙇 🤦 🤷 👮 🕵️ 💂 👷 🤴 👸 🎅 🦸 🧙 🧚 🧜 🧝 💆 💇 🚶 🧍 🏃 💃 🕺 👯 🧘 👪 👫 👭 👬 💏 💑'],
  ['emoji:hearts', '❤️ 🧡 💛 💚 💙 🩵 💜 🖤 🤍 🤎 💔 ❤️‍🔥 ❤️‍🩹 💕 💞 💓 💗 💖 💘 💝 💋 💯 💢 💥 💫 💦 💨 💬 💭 💤 ✨ ⭐ 🌟 🔥 🎉 🎊 ✅ ❌ ❓ ❗ ⚠️ 🚫 ➕ ➖ ♻️ 🆗 🆘 🔴 🟠 🟡 🟢 🔵 🟣 ⚫ ⚪'],
  ['emoji:nature', '🐶 🐱 🐭 🐹 🐰 🦊 🐻 🐼 🐻‍❄️ 🐨 🐯 🦁 🐮 🐷 🐸 🐵 🙈 🙉 🙊 🐔 🐧 🐦 🐤 🦆 🦅 🦉 🐺 🐗 🐴 🦄 🐝 🦋 🐌 🐞 🐢 🐍 🐙 🦀 🐠 🐟 🐬 🐳 🐋 🦈 🦭 🐘 🦒 🐎 🐑 🐐 🦌 🐕 🐈 🐓 🐇 🦔 🌵 🎄 🌲 🌳 🌴 🌱 🌿 🍀 🍁 🍂 🍄 🌾 💐 🌷 🌹 🌺 🌸 🌼 🌻 🌞 🌝 🌙 🌍 ☀️ ⛅ ☁️ 🌧️ ⛈️ ❄️ ☃️ ⛄ 💧 🌊 🌈'],
  ['emoji:food', '🍏 🍎 🍐 🍊 🍋 🍌 🍉 🍇 🍓 🫐 🍒 🍑 🥭 🍍 🥥 🥝 🍅 🥑 🥦 🥒 🌶️ 🌽 🥕 🧄 🧅 🥔 🥐 🍞 🥖 🥨 🧀 🥚 🍳 🥞 🥓 🍗 🍖 🌭 🍔 🍟 🍕 🥪 🌮 🌯 🥗 🍝 🍜 🍲 🍣 🍱 🥟 🍤 🍚 🍦 🍩 🍪 🎂 🍰 🧁 🍫 🍬 🍭 🍯 🥛 ☕ 🍵 🧃 🍺 🍻 🥂 🍷 🍸 🍹 🍾'],
  ['emoji:activities', '⚽ 🏀 🏈 ⚾ 🎾 🏐 🎱 🏓 🏸 🥅 ⛳ 🏹 🎣 🥊 ⛸️ 🎿 🛷 🏂 🏋️ 🤸 🚴 🏊 🏄 🏆 🥇 🥈 🥉 🎫 🎭 🎨 🎬 🎤 🎧 🎼 🎹 🥁 🎷 🎺 🎸 🎻 🎲 ♟️ 🎯 🎮 🧩 🎁 🎈 🎀'],
  ['emoji:travel', '🚗 🚕 🚌 🚎 🏎️ 🚓 🚑 🚒 🚚 🚜 🛵 🚲 🛴 🚂 🚆 🚇 🚊 ✈️ 🛫 🛬 🚀 🚁 ⛵ 🚤 🚢 ⚓ ⛽ 🚦 🗺️ 🗽 🗼 🏰 🏟️ 🎡 🎢 🏖️ 🏝️ 🏔️ ⛰️ 🌋 🏕️ 🏠 🏡 🏢 🏥 🏦 🏨 🏫 ⛪ 🕌 🌅 🌄 🌃 🌉'],
  ['emoji:objects', '⌚ 📱 💻 ⌨️ 🖨️ 📷 📹 📞 📺 📻 ⏰ ⏳ 🔋 🔌 💡 🔦 🕯️ 💸 💵 💳 💎 🔧 🔨 🛠️ 🔩 ⚙️ 🔫 💣 🔪 🛡️ 🔮 💊 🩹 🌡️ 🧹 🧻 🚿 🛁 🧼 🔑 🚪 🛏️ 🛋️ 🧸 🖼️ 🛍️ 📦 ✉️ 📧 📜 📄 📊 📅 📌 📎 ✂️ ✏️ 📝 📚 📖 🔍 🔒 🔓 🏳️ 🏴 🚩'],
];

interface Props {
  /** Where it was opened from. */
  box: { left: number; right: number; top: number; bottom: number };
  choose: (emoji: string) => void;
}

const MARGIN = 8;

export function Picker({ box, choose }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const picker = ref.current;
    if (!picker) return;
    picker.showModal();
    const { offsetWidth: width, offsetHeight: height } = picker;
    const left = Math.max(MARGIN, Math.min(box.right - width, innerWidth - width - MARGIN));
    const above = box.top - height - MARGIN;
    const top = above >= MARGIN ? above : Math.max(MARGIN, Math.min(box.bottom + MARGIN, innerHeight - height - MARGIN));
    picker.style.setProperty('--left', `${left}px`);
    picker.style.setProperty('--top', `${top}px`);
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    const buttons = [...(ref.current?.querySelectorAll<HTMLElement>('.picker-grid button') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const columns = 8;
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const step = steps[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    buttons[at + step]?.focus();
  };
  return (
    <dialog ref={ref} class="picker" aria-label={t('emoji')} onClose={closePopup} onClick={(event) => event.target === ref.current && closePopup()} onKeyDown={onKeyDown}>
      <nav class="picker-tabs">
        {GROUPS.map(([label, emoji]) => (
          <button key={label} type="button" aria-label={t(label)} title={t(label)} onClick={() => ref.current?.querySelector(`[data-group="${label}"]`)?.scrollIntoView()}>
            {emoji.slice(0, emoji.indexOf(' '))}
          </button>
        ))}
      </nav>
      <div class="picker-scroller">
        {GROUPS.map(([label, emoji]) => (
          <section key={label} data-group={label}>
            <h3>{t(label)}</h3>
            <div class="picker-grid">
              {emoji.split(' ').map((each) => (
                <button
                  key={each}
                  type="button"
                  onClick={() => {
                    closePopup();
                    choose(each);
                  }}
                >
                  {each}
                </button>
              ))}
            </div>
          </section>
        ))}
      </div>
    </dialog>
  );
}
