import { utf8 } from '../crypto/bytes.ts';
import type { KeyPair } from '../crypto/kem.ts';
import { type Suite, expandWithLabel } from './suite.ts';

/** What commits take of the key schedule (RFC 9420, section 8) beside what joining does. */

export function joinerSecret(
  suite: Suite,
  initSecret: Uint8Array,
  commitSecret: Uint8Array,
  context: Uint8Array,
): Uint8Array {
  return expandWithLabel(suite, suite.hash.extract(initSecret, commitSecret), 'joiner', context, suite.hash.size);
}

/** The key pair by which outsiders join (section 8.3). */
export function externalKeyPair(suite: Suite, externalSecret: Uint8Array): Promise<KeyPair> {
  return suite.kem.deriveKeyPair(externalSecret);
}

export const EXTERNAL_INIT_LABEL = utf8('MLS 1.0 external init secret');
