/** Shows chosen files once more before they go, with a place for a caption. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Hex, SendFileOptions } from '../../client/types.ts';
import { attempt } from '../notices.ts';
import { fileSize } from '../sizes.ts';
import { client } from '../state.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { closeDialog } from '../parts/overlay.tsx';
import { t, tn } from '../text/index.ts';
import { preparePicture, type Prepared } from './picture.ts';
import { addStyles } from '../parts/styles.ts';
import attachmentCss from './attachment.css?inline';
import filesCss from './files.css?inline';

addStyles(attachmentCss);
addStyles(filesCss);

/** The protocol's largest file, bytes. */
const FILE_LIMIT = 104_832_000;

interface Props {
  conversation: Hex;
  files: File[];
  replyTo: Hex | null;
}

interface Chosen {
  file: File;
  picture: Prepared | null;
  address: string | null;
}

export function SendFiles({ conversation, files, replyTo }: Props) {
  const [chosen, setChosen] = useState<readonly Chosen[] | null>(null);
  const [original, setOriginal] = useState(false);
  const caption = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const addresses: string[] = [];
    let gone = false;
    void Promise.all(
      files.map(async (file) => {
        const picture = await preparePicture(file);
        const address = picture && !gone ? URL.createObjectURL(picture.file) : null;
        if (address) addresses.push(address);
        return { file, picture, address };
      }),
    ).then((all) => {
      if (gone) addresses.forEach((address) => URL.revokeObjectURL(address));
      else setChosen(all);
    });
    return () => {
      gone = true;
      addresses.forEach((address) => URL.revokeObjectURL(address));
    };
  }, []);
  useEffect(() => caption.current?.focus(), [chosen !== null]);

  const pictures = chosen?.some((each) => each.picture) ?? false;
  const tooLarge = chosen?.some((each) => (each.picture && !original ? each.picture.file : each.file).size > FILE_LIMIT) ?? false;
  const send = (): void => {
    if (!chosen || tooLarge) return;
    closeDialog();
    chosen.forEach(({ file, picture }, index) => {
      const sent = original ? null : picture;
      const words = index === 0 ? caption.current?.value.trim() : '';
      const options: SendFileOptions = {
        ...(words && { caption: words }),
        ...(index === 0 && replyTo && { replyTo }),
        ...(picture && { width: picture.width, height: picture.height }),
        ...(picture?.preview && { preview: picture.preview }),
      };
      void attempt(() => client().sendFile(conversation, sent?.file ?? file, options));
    });
  };

  return (
    <Dialog label={tn('sendFiles', files.length)} className="send-files">
      <h2>{tn('sendFiles', files.length)}</h2>
      <div class="send-list">
        {chosen?.map(({ file, picture, address }) =>
          address ? (
            <img key={address} src={address} alt={file.name} />
          ) : (
            <div key={file.name} class="send-file">
              <Icon name="file" />
              <span class="file-text">
                <bdi class="file-name">{file.name}</bdi>
                <span class="file-size">{fileSize((picture?.file ?? file).size)}</span>
              </span>
            </div>
          ),
        )}
        {!chosen && <span class="spinner" />}
      </div>
      {pictures && (
        <label class="choice">
          <input type="checkbox" checked={original} onChange={(event) => setOriginal(event.currentTarget.checked)} />
          <span>
            {t('sendOriginal')}
            <small>{t('sendOriginalNote')}</small>
          </span>
        </label>
      )}
      {tooLarge && <p class="problem-text">{t('error:too-large')}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <input ref={caption} class="field" placeholder={t('caption')} aria-label={t('caption')} maxLength={1000} dir="auto" />
        <div class="dialog-actions">
          <button type="button" class="button quiet" onClick={closeDialog}>
            {t('cancel')}
          </button>
          <button type="submit" class="button" disabled={!chosen || tooLarge}>
            {t('send')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
