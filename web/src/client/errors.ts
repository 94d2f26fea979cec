/** What the client raises beside the layers below; the text catalogue turns each code into words. */
import { PolynyaError } from '../errors.ts';

export type ClientCode =
  | 'taken-over'
  | 'offline'
  | 'unknown-message'
  | 'no-file'
  | 'file-too-large'
  | 'file-damaged'
  | 'file-gone'
  | 'upload-refused'
  | 'relay-full'
  | 'not-relay-link'
  | 'not-invite-link';

const MESSAGES: Readonly<Record<ClientCode, string>> = {
  'taken-over': 'Polynya goes on in another tab.',
  offline: 'The relay cannot be reached now. Try again when you are connected.',
  'unknown-message': 'There is no such message here.',
  'no-file': 'This message holds no file.',
  'file-too-large': 'The file is over the limit of 100 MiB. Split it or make it smaller.',
  'file-damaged': 'The file does not match what its sender sealed. Ask them to send it again.',
  'file-gone': 'The relay has forgotten the file, as it was kept too long. Ask the sender to send it again.',
  'upload-refused': 'The relay did not take the file. Try again later.',
  'relay-full': "The relay's disk is full. Try again later.",
  'not-relay-link': 'This is an invite to a person, not a link of a relay.',
  'not-invite-link': 'This is a link of a relay, not an invite to a person.',
};

export class ClientError extends PolynyaError {
  constructor(code: ClientCode) {
    super(MESSAGES[code], code);
  }
}

/** This browser's storage failed; nothing of the step was written. full: no room; damaged: a row is not as written. */
export class StoreError extends PolynyaError {
  constructor(kind: 'full' | 'damaged' | 'failed' | 'too-new', detail = '') {
    super(`This browser's storage: ${kind}${detail && ` (${detail})`}`, `store-${kind}`);
  }
}
