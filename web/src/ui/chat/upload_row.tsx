import { useEffect, useState } from 'preact/hooks';
import { fileSize } from '../sizes.ts';
import { IconButton } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { t } from '../text/index.ts';
import { Ring } from './attachment.tsx';
import { isPicture } from './media.ts';
import { dropUpload, retryUpload } from './uploading.ts';
import type { Upload } from './uploads.ts';
import { addStyles } from '../parts/styles.ts';
import attachmentCss from './attachment.css?inline';

addStyles(attachmentCss);

/** A file on its way out. */
export function UploadRow({ upload }: { upload: Upload }) {
  const [address, setAddress] = useState<string | null>(null);
  const { file } = upload;
  useEffect(() => {
    if (!isPicture(file.type)) return undefined;
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return (
    <li class="message mine first last">
      <div class="bubble-line">
        <div class="bubble upload">
          {address ? <img class="upload-picture" src={address} alt="" /> : <Icon name="file" />}
          <span class="file-text">
            <bdi class="file-name">{file.name}</bdi>
            <span class="file-size" role="status">
              {upload.problem ?? t('sendingFile', { done: fileSize(upload.done * file.size), size: fileSize(file.size) })}
            </span>
          </span>
          {upload.problem === null ? <Ring part={upload.done} /> : <IconButton icon="refresh" label="tryAgain" onClick={() => void retryUpload(upload.id)} />}
          <IconButton icon="close" label="cancel" onClick={() => dropUpload(upload.id)} />
        </div>
      </div>
    </li>
  );
}
