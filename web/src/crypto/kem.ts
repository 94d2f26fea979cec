import { concat, u16, utf8 } from './bytes.ts';
import { checkSize } from './errors.ts';
import { labeledExpand, labeledExtract } from './labeled.ts';
import type { Random } from './random.ts';
import { agree, checkPublicKey, publicKey } from './x25519.ts';

export interface KeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** A key encapsulation mechanism of RFC 9180, section 4. Sizes in bytes. */
export interface Kem {
  readonly id: number;
  readonly encapsulationSize: number;
  readonly publicKeySize: number;
  deriveKeyPair(ikm: Uint8Array): Promise<KeyPair>;
  generate(random: Random): Promise<KeyPair>;
  publicKey(privateKey: Uint8Array): Promise<Uint8Array>;
  /** Refuses the keys to which `encapsulate` would refuse to encapsulate. @throws CryptoError */
  checkPublicKey(publicKey: Uint8Array): void;
  /** [shared secret, encapsulation]. @throws CryptoError for an unusable key. */
  encapsulate(publicKey: Uint8Array, random: Random): Promise<[Uint8Array, Uint8Array]>;
  /** The shared secret. @throws CryptoError for an unusable encapsulation. */
  decapsulate(privateKey: Uint8Array, encapsulation: Uint8Array): Promise<Uint8Array>;
}

const ID = 0x0020;
const SUITE_ID = concat(utf8('KEM'), u16(ID));
const EMPTY = new Uint8Array(0);

function sharedSecret(dh: Uint8Array, encapsulation: Uint8Array, receiver: Uint8Array): Uint8Array {
  const prk = labeledExtract(SUITE_ID, EMPTY, 'eae_prk', dh);
  return labeledExpand(SUITE_ID, prk, 'shared_secret', concat(encapsulation, receiver), 32);
}

async function deriveKeyPair(ikm: Uint8Array): Promise<KeyPair> {
  const prk = labeledExtract(SUITE_ID, EMPTY, 'dkp_prk', ikm);
  const privateKey = labeledExpand(SUITE_ID, prk, 'sk', EMPTY, 32);
  return { privateKey, publicKey: await publicKey(privateKey) };
}

/** DHKEM(X25519, HKDF-SHA256), RFC 9180, section 4.1. */
export const DHKEM_X25519: Kem = {
  id: ID,
  encapsulationSize: 32,
  publicKeySize: 32,
  deriveKeyPair,
  publicKey,
  checkPublicKey,
  generate: (random) => deriveKeyPair(random.bytes(32)),
  async encapsulate(receiver, random) {
    const ephemeral = await deriveKeyPair(random.bytes(32));
    const dh = await agree(ephemeral.privateKey, receiver);
    return [sharedSecret(dh, ephemeral.publicKey, receiver), ephemeral.publicKey];
  },
  async decapsulate(privateKey, encapsulation) {
    checkSize(encapsulation, 32);
    const [dh, own] = await Promise.all([agree(privateKey, encapsulation), publicKey(privateKey)]);
    return sharedSecret(dh, encapsulation, own);
  },
};
