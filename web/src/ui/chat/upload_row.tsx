import type { UploadView } from '../../client/types.ts';
import { attempt, words } from '../notices.ts';
import { IconButton } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { fileSize } from '../sizes.ts';
import { client } from '../state.ts';
import { t } from '../text/index.ts';
import { Ring, shownFileName, usePreview } from './attachment.tsx';
import { Text } from './body.tsx';
import { addStyles } from '../parts/styles.ts';
import attachmentCss from './attachment.css?inline';

addStyles(attachmentCss);

function stateWords({ state, done, file: { size }, problem }: UploadView): string {
  if (problem) return words(problem);
  if (state === 'preparing') return t('preparingFile');
  return state === 'sending' && done > 0 ? t('sendingFile', { done: fileSize(done * size), size: fileSize(size) }) : t('waitingFile', { size: fileSize(size) });
}

/** A file on its way out: a message that waits. */
export function UploadRow({ upload }: { upload: UploadView }) {
  const { id, file, problem, done } = upload;
  const picture = usePreview(file.preview);
  return (
    <li class="message mine first last">
      <div class="bubble-line">
        <div class="bubble">
          <div class="upload">
            {picture ? <img class="upload-picture" src={picture} alt="" /> : <Icon name="file" />}
            <span class="file-text">
              <bdi class="file-name">{shownFileName(file)}</bdi>
              <span class="file-size" role="status">
                {stateWords(upload)}
              </span>
            </span>
            {!problem && <Ring part={done} />}
            {problem && problem !== 'file-interrupted' && <IconButton icon="refresh" label="tryAgain" onClick={() => void attempt(() => client().retryUpload(id))} />}
            <IconButton icon="close" label="cancel" onClick={() => void attempt(() => client().cancelUpload(id))} />
          </div>
          {file.caption && <Text text={file.caption} />}
        </div>
      </div>
    </li>
  );
}
