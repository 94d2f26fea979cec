import { concat, u16 as u16Bytes } from '../crypto/bytes.ts';
import { type Codec, decode, encode, fixed, oneOf, opaque, struct, u16, u32, u64, u8 } from './codec.ts';
import { ensure } from './errors.ts';
import type { Extension } from './extensions.ts';
import { type LeafNode, MLS10, version } from './leaf.ts';
import { take } from './ratchets.ts';
import type { RatchetName, SecretTree } from './secrettree.ts';
import { type Suite, expandWithLabel, opened, signWithLabel, verifyWithLabel } from './suite.ts';

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

const KNOWN = [PUBLIC_MESSAGE, PRIVATE_MESSAGE, WELCOME, GROUP_INFO, KEY_PACKAGE];
const wireFormats = oneOf<number>(u16, '6-wire-format', ...KNOWN);

/** Reads an MLSMessage of one wire format; of any other, refused by `rule`, no more than its kind is read. */
export function only<T>(wireFormat: number, body: Codec<T>, rule: string): Pick<Codec<T>, 'read'> {
  return {
    read(reader) {
      version.read(reader);
      ensure(wireFormats.read(reader) === wireFormat, rule);
      return body.read(reader);
    },
  };
}

/** Padding is zeros, so that nothing hides in it (section 6.3.1). */
export function checkPadding(padding: Uint8Array): void {
  ensure(padding.every((byte) => byte === 0), '6.3.1-padding', '', 'malformed');
}

/** `MLSMessage` around an encoded message of that wire format. */
export function wrap(wireFormat: number, encoded: Uint8Array): Uint8Array {
  return concat(u16Bytes(MLS10), u16Bytes(wireFormat), encoded);
}

/** The label of a content's signature. */
const CONTENT_LABEL = 'FramedContentTBS';

/** FramedContentTBS of an encoded FramedContent; `context`: the encoded GroupContext where the signature covers it. */
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
function senderDataKey(suite: Suite, secret: Uint8Array, ciphertext: Uint8Array): [Uint8Array, Uint8Array] {
  const sample = ciphertext.slice(0, suite.hash.size);
  return [
    expandWithLabel(suite, secret, 'key', sample, suite.aead.keySize),
    expandWithLabel(suite, secret, 'nonce', sample, suite.aead.nonceSize),
  ];
}

/** The ratchet's nonce with the reuse guard on its first four bytes (section 6.3.1). */
function guarded(nonce: Uint8Array, guard: Uint8Array): Uint8Array {
  const out = nonce.slice();
  for (let i = 0; i < guard.length; i++) out[i]! ^= guard[i]!;
  return out;
}

/** The content is signed with that key (section 6.1); `covered` is its FramedContentTBS. @throws MlsError */
export async function checkEncoded(
  suite: Suite,
  publicKey: Uint8Array,
  covered: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  ensure(await verifyWithLabel(suite, publicKey, CONTENT_LABEL, covered, signature), '6.1-signature');
}

export interface SealingKeys {
  readonly suite: Suite;
  readonly senderDataSecret: Uint8Array;
  readonly secretTree: SecretTree;
}

/** What messages of one epoch are opened with. */
export interface EpochKeys extends SealingKeys {
  /** The encoded GroupContext. */
  readonly context: Uint8Array;
  readonly extensions: readonly Extension[];
  readonly leaf: (index: number) => LeafNode | null;
}

function ratchetName(type: ContentType): RatchetName {
  return type === APPLICATION ? 'application' : 'handshake';
}

/** Seals an encoded PrivateMessageContent of the member at a leaf: [message, the secret tree without the key used]. */
export async function sealPrivate(
  head: Head,
  leafIndex: number,
  plaintext: Uint8Array,
  { suite, senderDataSecret, secretTree: before }: SealingKeys,
  reuseGuard: Uint8Array,
): Promise<[PrivateMessage, SecretTree]> {
  const [{ generation, key, nonce }, secretTree] = before.next(leafIndex, ratchetName(head.contentType));
  const aad = encode(privateContentAad, head);
  const ciphertext = await suite.aead.seal(key, guarded(nonce, reuseGuard), aad, plaintext);
  const data = encode(senderData, { leafIndex, generation, reuseGuard });
  const [dataKey, dataNonce] = senderDataKey(suite, senderDataSecret, ciphertext);
  const encryptedSenderData = await suite.aead.seal(dataKey, dataNonce, encode(senderDataAad, head), data);
  return [{ ...head, encryptedSenderData, ciphertext }, secretTree];
}

export interface OpenedContent {
  readonly sender: SenderData;
  /** An encoded PrivateMessageContent, whose signature nobody has checked. */
  readonly plaintext: Uint8Array;
  /** Without the key used. */
  readonly secretTree: SecretTree;
}

/** Takes the seal off (section 6.3). @throws MlsError */
export async function openPrivate(message: PrivateMessage, keys: EpochKeys): Promise<OpenedContent> {
  const { suite } = keys;
  const { contentType, ciphertext } = message;
  const [dataKey, dataNonce] = senderDataKey(suite, keys.senderDataSecret, ciphertext);
  const dataAad = encode(senderDataAad, message);
  const data = await opened('6.3-decrypt', suite.aead.open(dataKey, dataNonce, dataAad, message.encryptedSenderData));
  const sender = decode(senderData, data);
  ensure(keys.leaf(sender.leafIndex) !== null, '6.3.2-blank-sender', `leaf ${sender.leafIndex}`);
  const [key, secretTree] = take(keys.secretTree, sender.leafIndex, ratchetName(contentType), sender.generation);
  const aad = encode(privateContentAad, message);
  const nonce = guarded(key.nonce, sender.reuseGuard);
  const plaintext = await opened('6.3-decrypt', suite.aead.open(key.key, nonce, aad, ciphertext));
  return { sender, plaintext, secretTree };
}
