import { concat } from '../crypto/bytes.ts';
import { equal } from '../crypto/compare.ts';
import type { Random } from '../crypto/random.ts';
import { type Codec, decode, encode, opaque, struct, u64, u8 } from './codec.ts';
import { type GroupState, checkOpen, epochKeys, pastKeys } from './epoch.ts';
import { ensure } from './errors.ts';
import {
  APPLICATION,
  type EpochKeys,
  PRIVATE_MESSAGE,
  checkEncoded,
  checkPadding,
  only,
  openPrivate,
  privateMessage,
  sealPrivate,
  signEncoded,
  toBeSigned,
  wrap,
} from './privatemessage.ts';
import { MEMBER, type Sender, sender } from './sender.ts';
import { type Member, member } from './views.ts';

/** Application messages: RFC 9420, sections 6 and 15. */

export interface ApplicationMessage {
  readonly senderLeafIndex: number;
  /** As of the message's epoch. */
  readonly sender: Member;
  readonly epoch: number;
  readonly data: Uint8Array;
  readonly authenticatedData: Uint8Array;
}

/** FramedContent with application data. */
const applicationContent = struct<{
  groupId: Uint8Array;
  epoch: bigint;
  sender: Sender;
  authenticatedData: Uint8Array;
  contentType: number;
  data: Uint8Array;
}>({ groupId: opaque, epoch: u64, sender, authenticatedData: opaque, contentType: u8, data: opaque });

/** Who has seen a proposal commits before sending (section 12.4). */
function checkNothingPending(state: GroupState): void {
  ensure(state.pending.length === 0, '12.4-pending-proposals', 'a proposal was seen: commit before sending');
}

/** Seals application data as an MLSMessage with `padding` zero bytes inside. Draws the reuse guard. @throws MlsError */
export async function encrypt(
  state: GroupState,
  data: Uint8Array,
  authenticatedData: Uint8Array,
  padding: number,
  random: Random,
): Promise<[GroupState, Uint8Array]> {
  checkOpen(state);
  checkNothingPending(state);
  const { suite, context, own } = state;
  const { groupId, epoch } = context;
  const head = { groupId, epoch, contentType: APPLICATION, authenticatedData } as const;
  const content = encode(applicationContent, { ...head, sender: { type: MEMBER, leafIndex: own }, data });
  const keys = epochKeys(state);
  const signature = await signEncoded(suite, state.signaturePrivate, PRIVATE_MESSAGE, content, keys.context);
  const plaintext = concat(encode(opaque, data), encode(opaque, signature), new Uint8Array(padding));
  const [message, secretTree] = await sealPrivate(head, own, plaintext, keys, random.bytes(4));
  return [{ ...state, secretTree }, wrap(PRIVATE_MESSAGE, encode(privateMessage, message))];
}

/** PrivateMessageContent with application data: it, its signature, and zeros to the end. */
const plainContent: Pick<Codec<[Uint8Array, Uint8Array]>, 'read'> = {
  read(reader) {
    const content: [Uint8Array, Uint8Array] = [opaque.read(reader), opaque.read(reader)];
    checkPadding(reader.bytes(reader.remaining));
    return content;
  },
};

/** Our own messages are known already; opening one would step the ratchet that is for sending. */
function checkNotOwn(state: GroupState, sender: number): void {
  ensure(sender !== state.own, '6.3.2-own-message');
}

function keysFor(state: GroupState, epoch: bigint): EpochKeys {
  if (epoch === state.context.epoch) return epochKeys(state);
  const past = state.past.find(({ context }) => context.epoch === epoch);
  ensure(past !== undefined, '6-epoch-unknown', `${epoch} in ${state.context.epoch}`, 'wrong-epoch');
  return pastKeys(state.suite, past);
}

/** Opens application data of the current or a retained past epoch, once. @throws MlsError */
export async function decrypt(state: GroupState, message: Uint8Array): Promise<[GroupState, ApplicationMessage]> {
  const received = decode(only(PRIVATE_MESSAGE, privateMessage, '6-not-application'), message);
  const { groupId, epoch, contentType, authenticatedData } = received;
  ensure(contentType === APPLICATION, '6-not-application');
  ensure(equal(state.context.groupId, groupId), '6-group-id', 'a message of another group');
  const keys = keysFor(state, epoch);
  const { sender, plaintext, secretTree } = await openPrivate(received, keys);
  const { leafIndex } = sender;
  const leaf = keys.leaf(leafIndex)!;
  const [data, signature] = decode(plainContent, plaintext);
  const content = encode(applicationContent, { ...received, sender: { type: MEMBER, leafIndex }, data });
  await checkEncoded(keys.suite, leaf.signatureKey, toBeSigned(PRIVATE_MESSAGE, content, keys.context), signature);
  checkNotOwn(state, leafIndex);
  const next: GroupState =
    epoch === state.context.epoch
      ? { ...state, secretTree }
      : { ...state, past: state.past.map((past) => (past.context.epoch === epoch ? { ...past, secretTree } : past)) };
  const from = { senderLeafIndex: leafIndex, sender: member(leafIndex, leaf), epoch: Number(epoch) };
  return [next, { ...from, data, authenticatedData }];
}
