/** Opened pictures as object addresses, few at a time: each holds its bytes in memory until it is let go. */
import type { Client, Hex } from '../../client/types.ts';
import { isPicture } from './media.ts';

const KEPT = 40;
const opened = new Map<Hex, Promise<string>>();

/** The address of a picture's bytes under this app's origin; its type is one of PICTURES whatever the sender said. */
export function pictureAddress(from: Client, conversation: Hex, id: Hex, mediaType: string, onProgress: (part: number) => void): Promise<string> {
  let found = opened.get(id);
  if (found) opened.delete(id);
  else {
    found = from.openFile(conversation, id, (done, total) => onProgress(total ? done / total : 0)).then((blob) => URL.createObjectURL(new Blob([blob], { type: isPicture(mediaType) ? mediaType : 'application/octet-stream' })));
    found.catch(() => opened.delete(id));
  }
  opened.set(id, found);
  if (opened.size > KEPT) {
    const [oldest, address] = opened.entries().next().value as [Hex, Promise<string>];
    opened.delete(oldest);
    void address.then((each) => URL.revokeObjectURL(each), () => undefined);
  }
  return found;
}

/** Saves as a file. Never opened as a page: a page from here could read everything this app stores. */
export function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
