import { decode, opaque, optional, struct, u16, vector } from './codec.ts';
import { WELCOME, only } from './privatemessage.ts';
import { type PskId, pskId } from './psk.ts';
import { type HpkeCiphertext, type Suite, EMPTY, expandWithLabel, hpkeCiphertext } from './suite.ts';

/** RFC 9420, section 12.4.3.1. */
export interface GroupSecrets {
  readonly joinerSecret: Uint8Array;
  readonly pathSecret: { readonly pathSecret: Uint8Array } | null;
  readonly psks: readonly PskId[];
}

export const groupSecrets = struct<GroupSecrets>({
  joinerSecret: opaque,
  pathSecret: optional(struct<{ pathSecret: Uint8Array }>({ pathSecret: opaque })),
  psks: vector(pskId),
});

export interface EncryptedGroupSecrets {
  /** The KeyPackageRef of the member welcomed. */
  readonly newMember: Uint8Array;
  readonly encryptedGroupSecrets: HpkeCiphertext;
}

export interface Welcome {
  readonly cipherSuite: number;
  readonly secrets: readonly EncryptedGroupSecrets[];
  readonly encryptedGroupInfo: Uint8Array;
}

export const welcome = struct<Welcome>({
  cipherSuite: u16,
  secrets: vector(struct<EncryptedGroupSecrets>({ newMember: opaque, encryptedGroupSecrets: hpkeCiphertext })),
  encryptedGroupInfo: opaque,
});

/** The Welcome in an MLSMessage. @throws MlsError */
export function decodeWelcome(message: Uint8Array): Welcome {
  return decode(only(WELCOME, welcome, '12.4.3.1-not-a-welcome'), message);
}

/** @throws CryptoError */
export function openGroupInfo(suite: Suite, welcomeSecret: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
  return suite.aead.open(...keyAndNonce(suite, welcomeSecret), EMPTY, sealed);
}

/** [key, nonce] of the sealed GroupInfo. */
export function keyAndNonce(suite: Suite, welcomeSecret: Uint8Array): [Uint8Array, Uint8Array] {
  return [
    expandWithLabel(suite, welcomeSecret, 'key', EMPTY, suite.aead.keySize),
    expandWithLabel(suite, welcomeSecret, 'nonce', EMPTY, suite.aead.nonceSize),
  ];
}
