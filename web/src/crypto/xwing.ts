import { concat, utf8 } from './bytes.ts';
import { checkSize } from './errors.ts';
import { sha3256, shake256 } from './keccak.ts';
import type { Kem, KeyPair } from './kem.ts';
import * as mlkem from './mlkem.ts';
import { remembered } from './subtle.ts';
import * as x25519 from './x25519.ts';

/** X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 together. A private key is a 32-byte seed. */

const LABEL = utf8('\\.//^\\');
const ENCAPSULATION_SIZE = mlkem.CIPHERTEXT_SIZE + 32;
const PUBLIC_KEY_SIZE = mlkem.PUBLIC_KEY_SIZE + 32;

interface Expanded {
  readonly mlkemSeed: Uint8Array;
  readonly x25519Secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

const expand = remembered(async (privateKey): Promise<Expanded> => {
  checkSize(privateKey, 32);
  const expanded = shake256(privateKey, 96);
  const mlkemSeed = expanded.slice(0, 64);
  const x25519Secret = expanded.slice(64);
  const publicKey = concat(await mlkem.publicKey(mlkemSeed), await x25519.publicKey(x25519Secret));
  return { mlkemSeed, x25519Secret, publicKey };
});

function combine(...parts: readonly Uint8Array[]): Uint8Array {
  return sha3256(concat(...parts, LABEL));
}

async function pair(privateKey: Uint8Array): Promise<KeyPair> {
  return { privateKey, publicKey: (await expand(privateKey)).publicKey };
}

export const XWING: Kem = {
  id: 0x647a,
  encapsulationSize: ENCAPSULATION_SIZE,
  publicKeySize: PUBLIC_KEY_SIZE,
  deriveKeyPair: (ikm) => pair(shake256(ikm, 32)),
  publicKey: async (privateKey) => (await expand(privateKey)).publicKey,
  generate: (random) => pair(random.bytes(32)),
  checkPublicKey(publicKey) {
    checkSize(publicKey, PUBLIC_KEY_SIZE);
    mlkem.checkPublicKey(publicKey.slice(0, mlkem.PUBLIC_KEY_SIZE));
    x25519.checkPublicKey(publicKey.slice(mlkem.PUBLIC_KEY_SIZE));
  },
  async encapsulate(publicKey, random) {
    checkSize(publicKey, PUBLIC_KEY_SIZE);
    const ephemeral = random.bytes(32);
    const encapsulated = random.encapsulate(publicKey.slice(0, mlkem.PUBLIC_KEY_SIZE));
    const peer = publicKey.slice(mlkem.PUBLIC_KEY_SIZE);
    const [[mlkemShared, mlkemCiphertext], own, shared] = await Promise.all([
      encapsulated,
      x25519.publicKey(ephemeral),
      x25519.agree(ephemeral, peer),
    ]);
    return [combine(mlkemShared, shared, own, peer), concat(mlkemCiphertext, own)];
  },
  async decapsulate(privateKey, encapsulation) {
    checkSize(encapsulation, ENCAPSULATION_SIZE);
    const { mlkemSeed, x25519Secret, publicKey } = await expand(privateKey);
    const ephemeral = encapsulation.slice(mlkem.CIPHERTEXT_SIZE);
    const [mlkemShared, shared] = await Promise.all([
      mlkem.decapsulate(mlkemSeed, encapsulation.slice(0, mlkem.CIPHERTEXT_SIZE)),
      x25519.agree(x25519Secret, ephemeral),
    ]);
    return combine(mlkemShared, shared, ephemeral, publicKey.slice(mlkem.PUBLIC_KEY_SIZE));
  },
};
