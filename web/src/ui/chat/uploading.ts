/** Sends files, one upload each. */
import type { Hex, SendFileOptions } from '../../client/types.ts';
import { codeOf, reportCode, words } from '../notices.ts';
import { client } from '../state.ts';
import { uploads, type Outgoing, type Upload } from './uploads.ts';

/** 100 MB: the protocol's largest file. */
export const FILE_LIMIT = 104_857_600;

let last = 0;

function change(id: number, part: Partial<Upload>): void {
  uploads.value = uploads.peek().map((upload) => (upload.id === id ? { ...upload, ...part } : upload));
}

export function dropUpload(id: number): void {
  uploads.peek().find((upload) => upload.id === id)?.abort.abort();
  uploads.value = uploads.peek().filter((upload) => upload.id !== id);
}

/** Sends a file; what fails stays, to be tried again. */
export async function upload(conversation: Hex, outgoing: Outgoing): Promise<void> {
  if (outgoing.file.size > FILE_LIMIT) {
    reportCode('too-large');
    return;
  }
  last += 1;
  const id = last;
  uploads.value = [...uploads.peek(), { ...outgoing, id, conversation, done: 0, problem: null, abort: new AbortController() }];
  await run(id);
}

export async function retryUpload(id: number): Promise<void> {
  change(id, { problem: null, done: 0, abort: new AbortController() });
  await run(id);
}

async function run(id: number): Promise<void> {
  const upload = uploads.peek().find((each) => each.id === id);
  if (!upload) return;
  const options: SendFileOptions = { signal: upload.abort.signal, onProgress: (done, total) => change(id, { done: total ? done / total : 0 }) };
  if (upload.caption) options.caption = upload.caption;
  if (upload.replyTo) options.replyTo = upload.replyTo;
  if (upload.width && upload.height) {
    options.width = upload.width;
    options.height = upload.height;
  }
  if (upload.preview) options.preview = upload.preview;
  try {
    await client().sendFile(upload.conversation, upload.file, options);
    uploads.value = uploads.peek().filter((each) => each.id !== id);
  } catch (error) {
    if (codeOf(error) !== 'abort') change(id, { problem: words(codeOf(error)) });
  }
}
