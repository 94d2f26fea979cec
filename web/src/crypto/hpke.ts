import type { Aead } from './aead.ts';
import { concat, u16, utf8 } from './bytes.ts';
import { CryptoError } from './errors.ts';
import type { Kem } from './kem.ts';
import { labeledExpand, labeledExtract } from './labeled.ts';
import type { Random } from './random.ts';

/** HPKE (RFC 9180) in base mode over HKDF-SHA256, the one KDF here. */

export const KDF_HKDF_SHA256 = 0x0001;
/** A context counts its messages in 32 bits, far below what its AEAD bears. */
const MESSAGES = 2 ** 32;
const MODE_BASE = Uint8Array.of(0);
const EMPTY = new Uint8Array(0);

/** One direction of encryption, in order, and the exporter (RFC 9180, sections 5.2 and 5.3). */
export class Context {
  readonly #aead: Aead;
  readonly #suiteId: Uint8Array;
  readonly #key: Uint8Array;
  readonly #baseNonce: Uint8Array;
  readonly #exporterSecret: Uint8Array;
  #sequence = 0;

  constructor(kem: Kem, aead: Aead, sharedSecret: Uint8Array, info: Uint8Array) {
    this.#aead = aead;
    const id = concat(utf8('HPKE'), u16(kem.id), u16(KDF_HKDF_SHA256), u16(aead.id));
    this.#suiteId = id;
    const context = concat(
      MODE_BASE,
      labeledExtract(id, EMPTY, 'psk_id_hash', EMPTY),
      labeledExtract(id, EMPTY, 'info_hash', info),
    );
    const secret = labeledExtract(id, sharedSecret, 'secret', EMPTY);
    this.#key = labeledExpand(id, secret, 'key', context, aead.keySize);
    this.#baseNonce = labeledExpand(id, secret, 'base_nonce', context, aead.nonceSize);
    this.#exporterSecret = labeledExpand(id, secret, 'exp', context, 32);
  }

  #nonce(): Uint8Array {
    if (this.#sequence >= MESSAGES) throw new CryptoError('The HPKE context has no nonces left.');
    const nonce = this.#baseNonce.slice();
    const view = new DataView(nonce.buffer, nonce.length - 4);
    view.setUint32(0, view.getUint32(0) ^ this.#sequence);
    return nonce;
  }

  async seal(aad: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    const nonce = this.#nonce();
    this.#sequence++;
    return this.#aead.seal(this.#key, nonce, aad, plaintext);
  }

  /** @throws CryptoError when the ciphertext is not authentic; the context stays where it was. */
  async open(aad: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array> {
    const plaintext = await this.#aead.open(this.#key, this.#nonce(), aad, ciphertext);
    this.#sequence++;
    return plaintext;
  }

  export(exporterContext: Uint8Array, length: number): Uint8Array {
    return labeledExpand(this.#suiteId, this.#exporterSecret, 'sec', exporterContext, length);
  }
}

/** [encapsulation, sending context]. @throws CryptoError for an unusable key. */
export async function setupSender(
  kem: Kem,
  aead: Aead,
  publicKey: Uint8Array,
  info: Uint8Array,
  random: Random,
): Promise<[Uint8Array, Context]> {
  const [shared, encapsulation] = await kem.encapsulate(publicKey, random);
  return [encapsulation, new Context(kem, aead, shared, info)];
}

/** The receiving context. @throws CryptoError for an unusable encapsulation. */
export async function setupReceiver(
  kem: Kem,
  aead: Aead,
  privateKey: Uint8Array,
  encapsulation: Uint8Array,
  info: Uint8Array,
): Promise<Context> {
  return new Context(kem, aead, await kem.decapsulate(privateKey, encapsulation), info);
}

/** One message to a public key: [encapsulation, ciphertext]. */
export async function sealOnce(
  kem: Kem,
  aead: Aead,
  publicKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): Promise<[Uint8Array, Uint8Array]> {
  const [encapsulation, context] = await setupSender(kem, aead, publicKey, info, random);
  return [encapsulation, await context.seal(aad, plaintext)];
}

/** Opens what `sealOnce` made. @throws CryptoError */
export async function openOnce(
  kem: Kem,
  aead: Aead,
  privateKey: Uint8Array,
  encapsulation: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  return (await setupReceiver(kem, aead, privateKey, encapsulation, info)).open(aad, ciphertext);
}
