/** A picture, as large as the window. */
import { useEffect, useRef } from 'preact/hooks';
import type { MessageView } from '../../client/types.ts';
import { fullTime } from '../times.ts';
import { attempt } from '../notices.ts';
import { IconButton, Name } from '../parts/basics.tsx';
import { closeDialog } from '../parts/overlay.tsx';
import { client } from '../state.ts';
import { shownFileName } from './attachment.tsx';
import { save } from './blobs.ts';
import '../parts/more_icons.ts';
import { shownTime } from './rows.ts';
import { addStyles } from '../parts/styles.ts';
import filesCss from './files.css?inline';

addStyles(filesCss);

export function Viewer({ message, address }: { message: MessageView; address: string }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => ref.current?.showModal(), []);
  const { file } = message;
  if (!file) return null;
  return (
    <dialog ref={ref} class="viewer" aria-label={shownFileName(file)} onClose={closeDialog}>
      <div class="viewer-bar">
        <IconButton icon="close" label="close" onClick={closeDialog} />
        <div>
          <Name>{message.senderName}</Name>
          <small>{fullTime(shownTime(message))}</small>
        </div>
        <IconButton icon="download" label="saveAs" onClick={() => void attempt(async () => save(await client().openFile(message.conversation, message.id), shownFileName(file)))} />
      </div>
      <div class="viewer-place" onClick={(event) => event.target === event.currentTarget && closeDialog()}>
        <img src={address} alt={shownFileName(file)} />
      </div>
      <p dir="auto">{file.caption}</p>
    </dialog>
  );
}
