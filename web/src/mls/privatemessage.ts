import { concat, u16 as u16Bytes } from '../crypto/bytes.ts';
import { encode, fixed, oneOf, opaque, struct, u32, u64, u8 } from './codec.ts';
import { MLS10 } from './leaf.ts';
import type { SecretTree } from './secrettree.ts';
import { type Suite, expandWithLabel, signWithLabel } from './suite.ts';

/** PrivateMessage, its signature and its seal: RFC 9420, sections 6.1 and 6.3. */

export const APPLICATION = 1;
export const PROPOSAL = 2;
export const COMMIT = 3;
export type ContentType = typeof APPLICATION | typeof PROPOSAL | typeof COMMIT;

/** How a message is wrapped: WireFormat of section 6. */
export const PUBLIC_MESSAGE = 1;
export const PRIVATE_MESSAGE = 2;
export const WELCOME = 3;
export const GROUP_INFO = 4;
export const KEY_PACKAGE = 5;

export interface PrivateMessage {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly contentType: ContentType;
  readonly authenticatedData: Uint8Array;
  readonly encryptedSenderData: Uint8Array;
  readonly ciphertext: Uint8Array;
}

type Head = Pick<PrivateMessage, 'groupId' | 'epoch' | 'contentType' | 'authenticatedData'>;

const contentType = oneOf<ContentType>(u8, '6-content-type', APPLICATION, PROPOSAL, COMMIT);
const aadFields = { groupId: opaque, epoch: u64, contentType };
const headFields = { ...aadFields, authenticatedData: opaque };

export const privateMessage = struct<PrivateMessage>({
  ...headFields,
  encryptedSenderData: opaque,
  ciphertext: opaque,
});

/** SenderDataAAD: what the sender data's seal covers. */
export const senderDataAad = struct<Pick<PrivateMessage, 'groupId' | 'epoch' | 'contentType'>>(aadFields);

/** PrivateContentAAD: what the content's seal covers. */
export const privateContentAad = struct<Head>(headFields);

export interface SenderData {
  readonly leafIndex: number;
  readonly generation: number;
  readonly reuseGuard: Uint8Array;
}

export const senderData = struct<SenderData>({ leafIndex: u32, generation: u32, reuseGuard: fixed(4) });

/** `MLSMessage` around an encoded message of that wire format. */
export function wrap(wireFormat: number, encoded: Uint8Array): Uint8Array {
  return concat(u16Bytes(MLS10), u16Bytes(wireFormat), encoded);
}

/** The label of a content's signature. */
export const CONTENT_LABEL = 'FramedContentTBS';

/** FramedContentTBS of an encoded FramedContent; `context` is the encoded GroupContext where the signature covers it. */
export function toBeSigned(wireFormat: number, content: Uint8Array, context: Uint8Array): Uint8Array {
  return concat(wrap(wireFormat, content), context);
}

/** Signs an encoded FramedContent (section 6.1). */
export function signEncoded(
  suite: Suite,
  privateKey: Uint8Array,
  wireFormat: number,
  content: Uint8Array,
  context: Uint8Array,
): Promise<Uint8Array> {
  return signWithLabel(suite, privateKey, CONTENT_LABEL, toBeSigned(wireFormat, content, context));
}

/** Of an epoch, for the sender data of a message with this ciphertext: [key, nonce] (section 6.3.2). */
export function senderDataKey(suite: Suite, secret: Uint8Array, ciphertext: Uint8Array): [Uint8Array, Uint8Array] {
  const sample = ciphertext.slice(0, suite.hash.size);
  return [
    expandWithLabel(suite, secret, 'key', sample, suite.aead.keySize),
    expandWithLabel(suite, secret, 'nonce', sample, suite.aead.nonceSize),
  ];
}

/** The ratchet's nonce with the reuse guard on its first four bytes (section 6.3.1). */
export function guarded(nonce: Uint8Array, guard: Uint8Array): Uint8Array {
  const out = nonce.slice();
  for (let i = 0; i < guard.length; i++) out[i]! ^= guard[i]!;
  return out;
}

export interface SealingKeys {
  readonly suite: Suite;
  readonly senderDataSecret: Uint8Array;
  readonly secretTree: SecretTree;
}

/** Seals an encoded PrivateMessageContent of the member at a leaf: [message, the secret tree without the key used]. */
export async function sealPrivate(
  head: Head,
  leafIndex: number,
  plaintext: Uint8Array,
  { suite, senderDataSecret, secretTree: before }: SealingKeys,
  reuseGuard: Uint8Array,
): Promise<[PrivateMessage, SecretTree]> {
  const ratchet = head.contentType === APPLICATION ? 'application' : 'handshake';
  const [{ generation, key, nonce }, secretTree] = before.next(leafIndex, ratchet);
  const aad = encode(privateContentAad, head);
  const ciphertext = await suite.aead.seal(key, guarded(nonce, reuseGuard), aad, plaintext);
  const data = encode(senderData, { leafIndex, generation, reuseGuard });
  const [dataKey, dataNonce] = senderDataKey(suite, senderDataSecret, ciphertext);
  const encryptedSenderData = await suite.aead.seal(dataKey, dataNonce, encode(senderDataAad, head), data);
  return [{ ...head, encryptedSenderData, ciphertext }, secretTree];
}
