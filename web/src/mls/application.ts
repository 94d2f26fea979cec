import { concat } from '../crypto/bytes.ts';
import type { Random } from '../crypto/random.ts';
import { encode, opaque, struct, u64, u8 } from './codec.ts';
import { type GroupState, checkOpen, encodedContext } from './epoch.ts';
import { ensure } from './errors.ts';
import { APPLICATION, PRIVATE_MESSAGE, privateMessage, sealPrivate, signEncoded, wrap } from './privatemessage.ts';
import { MEMBER, type Sender, sender } from './sender.ts';

/** FramedContent with application data, which is all that is sent without proposals and commits (RFC 9420, section 6). */
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
  const { suite, context, own, secretTree } = state;
  const { senderDataSecret } = state.secrets;
  const { groupId, epoch } = context;
  const head = { groupId, epoch, contentType: APPLICATION, authenticatedData } as const;
  const content = encode(applicationContent, { ...head, sender: { type: MEMBER, leafIndex: own }, data });
  const covered = encodedContext(context);
  const signature = await signEncoded(suite, state.signaturePrivate, PRIVATE_MESSAGE, content, covered);
  const plaintext = concat(encode(opaque, data), encode(opaque, signature), new Uint8Array(padding));
  const keys = { suite, senderDataSecret, secretTree };
  const [message, left] = await sealPrivate(head, own, plaintext, keys, random.bytes(4));
  return [{ ...state, secretTree: left }, wrap(PRIVATE_MESSAGE, encode(privateMessage, message))];
}
