import { concat } from '../crypto/bytes.ts';
import { CryptoError } from '../crypto/errors.ts';
import type { Random } from '../crypto/random.ts';
import { decode, encode } from './codec.ts';
import { MlsError, ensure } from './errors.ts';
import { type ExternalSender, EXTERNAL_SENDERS, type Extension, externalSenders, findExtension } from './extensions.ts';
import {
  APPLICATION,
  type AuthenticatedContent,
  COMMIT,
  type ContentWireFormat,
  EXTERNAL,
  type FramedContent,
  MEMBER,
  NEW_MEMBER_COMMIT,
  NEW_MEMBER_PROPOSAL,
  PRIVATE_MESSAGE,
  PROPOSAL,
  PUBLIC_MESSAGE,
  type PrivateMessage,
  type PublicMessage,
  type SenderData,
  authData,
  framedContent,
  privateContent,
  privateContentAad,
  senderData,
  senderDataAad,
} from './framing.ts';
import type { LeafNode } from './leaf.ts';
import {
  CONTENT_LABEL,
  type SealingKeys,
  guarded,
  sealPrivate,
  senderDataKey,
  signEncoded,
  toBeSigned,
} from './privatemessage.ts';
import { ADD } from './proposal.ts';
import { take } from './ratchets.ts';
import type { RatchetName, SecretTree } from './secrettree.ts';
import { EMPTY, type Suite, verifyMac, verifyWithLabel } from './suite.ts';

/** Signing, sealing and their reverse: RFC 9420, sections 6.1 to 6.3. */

declare const verified: unique symbol;
/** Content whose signature (and membership tag or seal) was verified; only this module makes it. */
export type VerifiedContent = AuthenticatedContent & { readonly [verified]: true };

/** What messages of one epoch are opened with. */
export interface EpochKeys extends SealingKeys {
  /** The encoded GroupContext. */
  readonly context: Uint8Array;
  readonly extensions: readonly Extension[];
  readonly leaf: (index: number) => LeafNode | null;
}

/** FramedContentTBS: of members and external committers it covers the group context. */
function coveredBy(wireFormat: ContentWireFormat, content: FramedContent, context: Uint8Array): Uint8Array {
  return toBeSigned(wireFormat, encode(framedContent, content), contextOf(content, context));
}

function contextOf({ sender: { type } }: FramedContent, context: Uint8Array): Uint8Array {
  return type === MEMBER || type === NEW_MEMBER_COMMIT ? context : EMPTY;
}

export function signContent(
  suite: Suite,
  privateKey: Uint8Array,
  wireFormat: ContentWireFormat,
  content: FramedContent,
  context: Uint8Array,
): Promise<Uint8Array> {
  return signEncoded(suite, privateKey, wireFormat, encode(framedContent, content), contextOf(content, context));
}

/** The key that a sender signs with (section 6.1). @throws MlsError */
export function senderKey(content: FramedContent, keys: Pick<EpochKeys, 'extensions' | 'leaf'>): Uint8Array {
  const { sender, content: body } = content;
  switch (sender.type) {
    case MEMBER: {
      const leaf = keys.leaf(sender.leafIndex);
      ensure(leaf !== null, '6.1-blank-sender', `leaf ${sender.leafIndex}`);
      return leaf.signatureKey;
    }
    case EXTERNAL: {
      const senders: readonly ExternalSender[] = findExtension(keys.extensions, EXTERNAL_SENDERS, externalSenders) ?? [];
      const found = senders[sender.senderIndex];
      ensure(body.type === PROPOSAL, '6.1-sender-type');
      ensure(found !== undefined, '6.1-external-sender');
      return found.signatureKey;
    }
    case NEW_MEMBER_PROPOSAL:
      ensure(body.type === PROPOSAL && body.proposal.type === ADD, '6.1-sender-type');
      return body.proposal.keyPackage.leafNode.signatureKey;
    case NEW_MEMBER_COMMIT:
      ensure(body.type === COMMIT, '6.1-sender-type');
      ensure(body.commit.path !== null, '12.4.3.2-path-required');
      return body.commit.path.leafNode.signatureKey;
  }
}

/** The content is signed by its sender (section 6.1). @throws MlsError */
async function checkSignature(authenticated: AuthenticatedContent, keys: EpochKeys): Promise<VerifiedContent> {
  const { wireFormat, content, auth } = authenticated;
  const key = senderKey(content, keys);
  const tbs = coveredBy(wireFormat, content, keys.context);
  ensure(await verifyWithLabel(keys.suite, key, CONTENT_LABEL, tbs, auth.signature), '6.1-signature');
  return authenticated as VerifiedContent;
}

/** AuthenticatedContentTBM, keyed (section 6.2). */
function membershipInput({ content, auth }: PublicMessage, context: Uint8Array): Uint8Array {
  return concat(coveredBy(PUBLIC_MESSAGE, content, context), encode(authData(content.content.type), auth));
}

/** A member's public message carries the tag that only members can make (section 6.2). */
function checkMembershipTag(message: PublicMessage, keys: EpochKeys, membershipKey: Uint8Array): void {
  if (message.content.sender.type !== MEMBER) return;
  const input = membershipInput(message, keys.context);
  ensure(verifyMac(keys.suite, membershipKey, input, message.membershipTag!), '6.2-membership-tag');
}

/** Application data is never public (section 6). */
function checkNotApplication(content: FramedContent): void {
  ensure(content.content.type !== APPLICATION, '6-application-in-public');
}

export function protectPublic(
  suite: Suite,
  { content, auth }: Pick<AuthenticatedContent, 'content' | 'auth'>,
  context: Uint8Array,
  membershipKey: Uint8Array,
): PublicMessage {
  checkNotApplication(content);
  const message = { content, auth, membershipTag: null };
  if (content.sender.type !== MEMBER) return message;
  return { ...message, membershipTag: suite.hash.mac(membershipKey, membershipInput(message, context)) };
}

/** @throws MlsError */
export async function unprotectPublic(
  message: PublicMessage,
  keys: EpochKeys,
  membershipKey: Uint8Array,
): Promise<VerifiedContent> {
  const { content, auth } = message;
  checkNotApplication(content);
  checkMembershipTag(message, keys, membershipKey);
  return checkSignature({ wireFormat: PUBLIC_MESSAGE, content, auth }, keys);
}

function ratchetName(type: number): RatchetName {
  return type === APPLICATION ? 'application' : 'handshake';
}

/** Seals a member's content: [message, the secret tree without the key used]. Draws the reuse guard first. */
export async function protectPrivate(
  { content, auth }: Pick<AuthenticatedContent, 'content' | 'auth'>,
  keys: SealingKeys,
  padding: number,
  random: Random,
): Promise<[PrivateMessage, SecretTree]> {
  const reuseGuard = random.bytes(4);
  const { groupId, epoch, sender, authenticatedData, content: body } = content;
  ensure(sender.type === MEMBER, '6.3.2-sender');
  const head = { groupId, epoch, contentType: body.type, authenticatedData };
  const plaintext = encode(privateContent(body.type), { content: body, auth, padding });
  return sealPrivate(head, sender.leafIndex, plaintext, keys, reuseGuard);
}

async function open<T>(rule: string, attempt: Promise<T>): Promise<T> {
  return attempt.catch((error: unknown) => {
    throw error instanceof CryptoError ? new MlsError(rule) : error;
  });
}

export interface Opened {
  readonly content: VerifiedContent;
  readonly secretTree: SecretTree;
  readonly sender: SenderData;
}

/** Opens a message of the epoch; the key used is gone from the tree that results. @throws MlsError */
export async function unprotectPrivate(message: PrivateMessage, keys: EpochKeys): Promise<Opened> {
  const { suite } = keys;
  const { groupId, epoch, contentType, authenticatedData, ciphertext } = message;
  const [dataKey, dataNonce] = senderDataKey(suite, keys.senderDataSecret, ciphertext);
  const dataAad = encode(senderDataAad, message);
  const data = await open('6.3-decrypt', suite.aead.open(dataKey, dataNonce, dataAad, message.encryptedSenderData));
  const sender = decode(senderData, data);
  ensure(keys.leaf(sender.leafIndex) !== null, '6.3.2-blank-sender', `leaf ${sender.leafIndex}`);
  const [key, secretTree] = take(keys.secretTree, sender.leafIndex, ratchetName(contentType), sender.generation);
  const aad = encode(privateContentAad, message);
  const nonce = guarded(key.nonce, sender.reuseGuard);
  const plaintext = await open('6.3-decrypt', suite.aead.open(key.key, nonce, aad, ciphertext));
  const { content: body, auth } = decode(privateContent(contentType), plaintext);
  const content: FramedContent = {
    groupId,
    epoch,
    sender: { type: MEMBER, leafIndex: sender.leafIndex },
    authenticatedData,
    content: body,
  };
  return { content: await checkSignature({ wireFormat: PRIVATE_MESSAGE, content, auth }, keys), secretTree, sender };
}
