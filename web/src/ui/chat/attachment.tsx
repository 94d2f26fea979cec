/** Pictures and files inside a bubble. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { FileView, MessageView } from '../../client/types.ts';
import { cleanName } from '../format.ts';
import { codeOf, words } from '../notices.ts';
import { Icon } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { fileSize } from '../sizes.ts';
import { client } from '../state.ts';
import { t } from '../text/index.ts';
import { pictureAddress, save } from './blobs.ts';
import { isPicture } from './media.ts';
import { addStyles } from '../parts/styles.ts';
import attachmentCss from './attachment.css?inline';

addStyles(attachmentCss);

/** Larger pictures are fetched only when asked for. */
const FETCHED_UNASKED = 3_000_000;
const BOX = { width: 320, height: 380 };
/** A very long or flat picture is cut to at least this. */
const LEAST = 96;

/** The size at which a picture is shown, known before its bytes are. */
export function fit(width: number | undefined, height: number | undefined): { width: number; height: number } {
  if (!width || !height) return { width: 240, height: 240 };
  const scale = Math.min(BOX.width / width, BOX.height / height, 1);
  return { width: Math.max(Math.round(width * scale), LEAST), height: Math.max(Math.round(height * scale), LEAST) };
}

export function shownFileName(file: FileView): string {
  return cleanName(file.name) || t('file');
}

export function Ring({ part }: { part: number }) {
  return (
    <svg class="ring" viewBox="0 0 36 36" role="progressbar" aria-valuenow={Math.round(part * 100)} aria-valuemin={0} aria-valuemax={100}>
      <circle cx="18" cy="18" r="15" />
      <circle class="ring-done" cx="18" cy="18" r="15" stroke-dasharray={`${Math.max(part, 0.04) * 94.2} 94.2`} />
    </svg>
  );
}

/** An address of the tiny picture that a message carries. */
export function usePreview(preview: Uint8Array | undefined): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    if (!preview) return undefined;
    const made = URL.createObjectURL(new Blob([preview as Uint8Array<ArrayBuffer>], { type: preview[0] === 0xff ? 'image/jpeg' : 'image/webp' }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [preview]);
  return address;
}

interface Fetching {
  address: string | null;
  part: number | null;
  problem: string | null;
}

export function Picture({ message, file, onOpen }: { message: MessageView; file: FileView; onOpen: (address: string) => void }) {
  const [state, setState] = useState<Fetching>({ address: null, part: null, problem: null });
  const place = useRef<HTMLButtonElement>(null);
  const preview = usePreview(file.preview);
  const size = fit(file.width, file.height);

  const fetch = (): void => {
    setState({ address: null, part: 0, problem: null });
    pictureAddress(client(), message.conversation, message.id, file.mediaType, (part) => setState((was) => ({ ...was, part }))).then(
      (address) => setState({ address, part: null, problem: null }),
      (error: unknown) => setState({ address: null, part: null, problem: words(codeOf(error)) }),
    );
  };
  useEffect(() => {
    if (file.size > FETCHED_UNASKED || !place.current) return undefined;
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      fetch();
    });
    watcher.observe(place.current);
    return () => watcher.disconnect();
  }, []);

  return (
    <button
      ref={place}
      type="button"
      class="picture"
      style={{ width: `${size.width}px`, aspectRatio: `${size.width} / ${size.height}` }}
      aria-label={t(state.address ? 'openPicture' : 'loadPicture', { name: shownFileName(file) })}
      onClick={() => (state.address ? onOpen(state.address) : state.part === null && fetch())}
    >
      {preview && !state.address && <img class="picture-preview" src={preview} alt="" />}
      {state.address && <img src={state.address} alt={shownFileName(file)} decoding="async" />}
      {state.part !== null && <Ring part={state.part} />}
      {state.part === null && !state.address && (
        <span class="picture-load">
          <Icon name={state.problem ? 'refresh' : 'download'} />
          {state.problem ?? fileSize(file.size)}
        </span>
      )}
    </button>
  );
}

export function FileCard({ message, file }: { message: MessageView; file: FileView }) {
  const [part, setPart] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const name = shownFileName(file);
  const open = async (): Promise<void> => {
    setProblem(null);
    setPart(0);
    try {
      save(await client().openFile(message.conversation, message.id, (done, total) => setPart(total ? done / total : 0)), name);
    } catch (error) {
      setProblem(words(codeOf(error)));
    }
    setPart(null);
  };
  return (
    <button type="button" class="file" onClick={() => part === null && void open()} aria-label={t('saveFile', { name })}>
      <span class="file-icon">{part === null ? <Icon name="file" /> : <Ring part={part} />}</span>
      <span class="file-text">
        <bdi class="file-name">{name}</bdi>
        <span class="file-size">{problem ?? (part === null ? fileSize(file.size) : `${fileSize(part * file.size)} / ${fileSize(file.size)}`)}</span>
      </span>
    </button>
  );
}

export function Attachment({ message, file, onOpen }: { message: MessageView; file: FileView; onOpen: (address: string) => void }) {
  return isPicture(file.mediaType) ? <Picture message={message} file={file} onOpen={onOpen} /> : <FileCard message={message} file={file} />;
}
