import { concat } from '../crypto/bytes.ts';
import type { Random } from '../crypto/random.ts';
import { decode, encode } from './codec.ts';
import { ensure } from './errors.ts';
import { type ExternalSender, EXTERNAL_SENDERS, externalSenders, findExtension } from './extensions.ts';
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
} from './framing.ts';
import {
  type EpochKeys,
  type SealingKeys,
  checkEncoded,
  openPrivate,
  sealPrivate,
  signEncoded,
  toBeSigned,
} from './privatemessage.ts';
import { ADD } from './proposal.ts';
import type { SecretTree } from './secrettree.ts';
import { EMPTY, type Suite, verifyMac } from './suite.ts';

/** Signing, sealing and their reverse: RFC 9420, sections 6.1 to 6.3. */

export type { EpochKeys };

declare const verified: unique symbol;
/** Content whose signature (and membership tag or seal) was verified; only this module makes it. */
export type VerifiedContent = AuthenticatedContent & { readonly [verified]: true };

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
      ensure(body.type === PROPOSAL, '6.1-sender-type');
      const senders: readonly ExternalSender[] = findExtension(keys.extensions, EXTERNAL_SENDERS, externalSenders) ?? [];
      const found = senders[sender.senderIndex];
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
  await checkEncoded(keys.suite, key, coveredBy(wireFormat, content, keys.context), auth.signature);
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

export interface Opened {
  readonly content: VerifiedContent;
  readonly secretTree: SecretTree;
  readonly sender: SenderData;
}

/** Opens a message of the epoch; the key used is gone from the tree that results. @throws MlsError */
export async function unprotectPrivate(message: PrivateMessage, keys: EpochKeys): Promise<Opened> {
  const { groupId, epoch, contentType, authenticatedData } = message;
  const { sender, plaintext, secretTree } = await openPrivate(message, keys);
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
