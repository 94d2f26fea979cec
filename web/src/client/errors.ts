/** What the client raises beside the layers below; the text catalogue turns each code into words, not in the first load. */
import { PolynyaError } from '../errors.ts';

export type ClientCode =
  | 'taken-over'
  | 'offline'
  | 'unknown-message'
  | 'no-file'
  | 'file-too-large'
  | 'file-damaged'
  | 'file-gone'
  | 'file-interrupted'
  | 'upload-refused'
  | 'relay-full'
  | 'not-relay-link'
  | 'not-invite-link';

export class ClientError extends PolynyaError {
  constructor(code: ClientCode) {
    super(code, code);
  }
}

/** This browser's storage failed; nothing of the step was written. full: no room; damaged: a row is not as written. */
export class StoreError extends PolynyaError {
  constructor(kind: 'full' | 'damaged' | 'failed' | 'too-new', detail = '') {
    super(`store-${kind} ${detail}`, `store-${kind}`);
  }
}
