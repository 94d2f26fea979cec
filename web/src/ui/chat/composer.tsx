/** Where messages are written. */
import { useSignal, type Signal } from '../signals.ts';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ConversationView } from '../../client/types.ts';
import { attempt, reportCode } from '../notices.ts';
import { Icon } from '../parts/icon.tsx';
import { IconButton } from '../parts/basics.tsx';
import { Later } from '../parts/later.tsx';
import { wide } from '../route.ts';
import { client, draftOf, keepDraft } from '../state.ts';
import { t } from '../text/index.ts';
import type { Mode } from './mode.ts';

/** The protocol's longest text, in bytes of UTF-8. */
const TEXT_LIMIT = 16_384;
/** Pause after the last key before the draft is kept. */
const DRAFT_PAUSE_MS = 400;
/** The client says that someone types once in this time at most. */
const TYPING_PAUSE_MS = 3_000;

interface Props {
  conversation: ConversationView;
  mode: Signal<Mode>;
  /** The text field, for who wants to focus it. */
  field: { current: HTMLTextAreaElement | null };
  onFiles: (files: File[]) => void;
  editLast: () => void;
}

const loadMode = async () => (await import('./composer_mode.tsx')).ComposerMode;
const touchOnly = matchMedia('(hover: none) and (pointer: coarse)');

export function Composer({ conversation, mode, field, onFiles, editLast }: Props) {
  const id = conversation.id;
  const empty = useSignal(draftOf(id).trim() === '');
  const files = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const typed = useRef(0);
  /** What was being written before an edit began. */
  const aside = useRef<string | null>(null);

  const grow = (): void => {
    const area = field.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  };
  const put = (text: string): void => {
    const area = field.current;
    if (!area) return;
    area.value = text;
    empty.value = text.trim() === '';
    grow();
  };
  const keep = (text: string): void => {
    if (mode.peek()?.kind !== 'edit' && draftOf(id) !== text) keepDraft(id, text);
  };

  useLayoutEffect(() => {
    put(draftOf(id));
    // Not from who searches while one may write here again.
    if (wide.peek() && document.activeElement?.tagName !== 'INPUT') field.current?.focus({ preventScroll: true });
    return () => {
      clearTimeout(timer.current);
      keep(field.current?.value ?? '');
      if (typed.current) client().setTyping(id, false);
    };
  }, []);

  const current = mode.value;
  useLayoutEffect(() => {
    if (current?.kind === 'edit') {
      aside.current ??= field.current?.value ?? '';
      put(current.message.text ?? '');
    } else if (aside.current !== null) {
      put(aside.current);
      aside.current = null;
    }
    if (current) field.current?.focus({ preventScroll: true });
  }, [current]);

  const onInput = (): void => {
    const text = field.current?.value ?? '';
    grow();
    empty.value = text.trim() === '';
    clearTimeout(timer.current);
    timer.current = setTimeout(() => keep(text), DRAFT_PAUSE_MS);
    const now = Date.now();
    if (text === '' && typed.current) {
      typed.current = 0;
      client().setTyping(id, false);
    } else if (text !== '' && now - typed.current > TYPING_PAUSE_MS && mode.peek()?.kind !== 'edit') {
      typed.current = now;
      client().setTyping(id, true);
    }
  };

  const send = async (): Promise<void> => {
    const text = (field.current?.value ?? '').trim();
    const how = mode.peek();
    if (text === '') return;
    if (new TextEncoder().encode(text).length > TEXT_LIMIT) {
      reportCode('text-too-long');
      return;
    }
    clearTimeout(timer.current);
    if (typed.current) client().setTyping(id, false);
    typed.current = 0;
    mode.value = null;
    if (how?.kind === 'edit') {
      if (text !== how.message.text) await attempt(() => client().edit(id, how.message.id, text));
      return;
    }
    put('');
    const done = await attempt(() => client().send(id, text, how?.message.id));
    if (done) {
      keep(field.current?.value ?? '');
    } else if (field.current?.value === '') {
      // Nothing written is ever lost.
      put(text);
      keep(text);
    }
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey && !touchOnly.matches) {
      event.preventDefault();
      void send();
    } else if (event.key === 'ArrowUp' && field.current?.value === '' && !mode.peek()) {
      event.preventDefault();
      editLast();
    } else if (event.key === 'Escape' && mode.peek()) {
      event.stopPropagation();
      mode.value = null;
    }
  };

  const insert = (emoji: string): void => {
    const area = field.current;
    if (!area) return;
    area.setRangeText(emoji, area.selectionStart, area.selectionEnd, 'end');
    area.focus();
    onInput();
  };

  const pick = (anchor: Element): void =>
    void attempt(async () => {
      const { showPicker } = await import('../parts/popups.tsx');
      showPicker(anchor, insert);
    });

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {current && <Later load={loadMode} props={{ mode: current, cancel: () => (mode.value = null) }} meanwhile={null} />}
      <div class="composer-line">
        <IconButton icon="attach" label="attach" onClick={() => files.current?.click()} disabled={current?.kind === 'edit'} />
        <input
          ref={files}
          type="file"
          multiple
          hidden
          onChange={(event) => {
            onFiles([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = '';
          }}
        />
        <div class="composer-field">
          <textarea
            ref={field}
            rows={1}
            dir="auto"
            aria-label={t('writeMessage')}
            placeholder={t('writeMessage')}
            onInput={onInput}
            onKeyDown={onKeyDown}
            onPaste={(event) => {
              const pasted = [...(event.clipboardData?.files ?? [])];
              if (pasted.length === 0) return;
              event.preventDefault();
              onFiles(pasted);
            }}
          />
          <IconButton icon="smile" label="emoji" className="composer-emoji" onClick={(event) => pick(event.currentTarget as Element)} />
        </div>
        <button type="submit" class="send" aria-label={t(current?.kind === 'edit' ? 'save' : 'send')} disabled={empty.value} onMouseDown={(event) => event.preventDefault()}>
          <Icon name={current?.kind === 'edit' ? 'check' : 'send'} />
        </button>
      </div>
    </form>
  );
}
