/** A context menu: beside the pointer, on phones a sheet at the bottom. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { QUICK_REACTIONS } from '../emoji.ts';
import { t } from '../text/index.ts';
import { roving } from './roving.ts';
import { Icon } from './icon.tsx';
import './more_icons.ts';
import { closePopup, type MenuContent } from './popup.ts';
import { addStyles } from './styles.ts';
import menuCss from './menu.css?inline';

addStyles(menuCss);

/** Least distance to the window's edges. */
const MARGIN = 8;

interface Props {
  content: MenuContent;
  at: { x: number; y: number };
  /** Offers all emoji, beside an element. */
  pick: (anchor: Element, choose: (emoji: string) => void) => void;
}

export function Menu({ content, at, pick }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const menu = ref.current;
    if (!menu) return undefined;
    const before = document.activeElement;
    menu.showModal();
    // Layout size: the opening animation scales what is drawn.
    const { offsetWidth: width, offsetHeight: height } = menu;
    menu.style.setProperty('--left', `${Math.max(MARGIN, Math.min(at.x, innerWidth - width - MARGIN))}px`);
    menu.style.setProperty('--top', `${Math.max(MARGIN, Math.min(at.y, innerHeight - height - MARGIN))}px`);
    menu.querySelector<HTMLElement>('[role=menuitem]')?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected && document.activeElement === document.body) before.focus({ preventScroll: true });
    };
  }, []);
  const { reactions, items } = content;
  const run = (action: () => void): void => {
    closePopup();
    action();
  };
  return (
    <dialog ref={ref} class="menu" aria-label={t('menu')} onClose={closePopup} onClick={(event) => event.target === ref.current && closePopup()} onContextMenu={(event) => event.preventDefault()}>
      {reactions && (
        <div class="menu-reactions">
          {QUICK_REACTIONS.map((emoji) => (
            <button key={emoji} type="button" class={reactions.own === emoji ? 'mine' : ''} aria-pressed={reactions.own === emoji} onClick={() => run(() => reactions.choose(reactions.own === emoji ? '' : emoji))}>
              {emoji}
            </button>
          ))}
          <button type="button" class="menu-more" aria-label={t('moreEmoji')} title={t('moreEmoji')} onClick={(event) => pick(event.currentTarget, reactions.choose)}>
            <Icon name="plus" />
          </button>
        </div>
      )}
      <div class="menu-items" role="menu" onKeyDown={roving('[role=menuitem]')}>
        {items.map((item) => (
          <button key={item.label} type="button" role="menuitem" class={item.danger ? 'danger' : ''} onClick={() => run(item.run)}>
            <Icon name={item.icon} />
            {item.label}
          </button>
        ))}
      </div>
    </dialog>
  );
}
