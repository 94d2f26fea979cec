import { equal } from '../crypto/compare.ts';
import type { Random } from '../crypto/random.ts';
import { decode } from './codec.ts';
import { type GroupState, checkOpen } from './epoch.ts';
import { ensure } from './errors.ts';
import {
  APPLICATION,
  type Content,
  type FramedContent,
  MEMBER,
  type MlsMessage,
  PRIVATE_MESSAGE,
  PROPOSAL,
  PUBLIC_MESSAGE,
  type PrivateMessage,
  type Sender,
  encodeMessage,
  mlsMessage,
} from './framing.ts';
import { epochKeys, pastKeys } from './transitions.ts';
import { unprotect } from './verifying.ts';
import { type Member, member } from './views.ts';
import type { Proposal } from './proposal.ts';
import { type ResolvedProposal, checkProposal, proposalRef } from './proposals.ts';
import { protectPrivate, protectPublic, signContent, unprotectPrivate } from './protect.ts';

export interface ApplicationMessage {
  readonly senderLeafIndex: number;
  /** As of the message's epoch. */
  readonly sender: Member;
  readonly epoch: number;
  readonly data: Uint8Array;
  readonly authenticatedData: Uint8Array;
}

/** A proposal that was accepted and waits for a commit. */
export interface ReceivedProposal {
  readonly reference: Uint8Array;
  readonly proposal: Proposal;
  readonly sender: Sender;
  /** Who proposed, if a member did. */
  readonly member: Member | null;
  readonly authenticatedData: Uint8Array;
}

type ApplicationContent = Extract<Content, { readonly type: typeof APPLICATION }>;

function frame(state: GroupState, content: Content, authenticatedData: Uint8Array): FramedContent {
  const { groupId, epoch } = state.context;
  return { groupId, epoch, sender: { type: MEMBER, leafIndex: state.own }, authenticatedData, content };
}

/** Our own messages are known already; opening one would step the ratchet that is for sending. */
function checkNotOwn(state: GroupState, sender: number): void {
  ensure(sender !== state.own, '6.3.2-own-message');
}

/** Opens application data of the current or a retained past epoch, once. @throws MlsError */
export async function decrypt(state: GroupState, data: Uint8Array): Promise<[GroupState, ApplicationMessage]> {
  const message = decode(mlsMessage, data);
  ensure(message.wireFormat === PRIVATE_MESSAGE, '6-not-application');
  const { privateMessage } = message;
  ensure(privateMessage.contentType === APPLICATION, '6-not-application');
  ensure(equal(state.context.groupId, privateMessage.groupId), '6-group-id', 'a message of another group');
  const opened = await unprotectPrivate(privateMessage, keysFor(state, privateMessage));
  const { secretTree, sender, content } = opened;
  checkNotOwn(state, sender.leafIndex);
  const leaf = keysFor(state, privateMessage).leaf(sender.leafIndex)!;
  const { content: body, authenticatedData, epoch } = content.content;
  const next: GroupState =
    epoch === state.context.epoch
      ? { ...state, secretTree }
      : { ...state, past: state.past.map((past) => (past.epoch === epoch ? { ...past, secretTree } : past)) };
  const { leafIndex } = sender;
  return [
    next,
    {
      senderLeafIndex: leafIndex,
      sender: member(leafIndex, leaf),
      epoch: Number(epoch),
      data: (body as ApplicationContent).data,
      authenticatedData,
    },
  ];
}

function keysFor(state: GroupState, { epoch }: PrivateMessage): ReturnType<typeof epochKeys> {
  if (epoch === state.context.epoch) return epochKeys(state);
  const past = state.past.find((candidate) => candidate.epoch === epoch);
  ensure(past !== undefined, '6-epoch-unknown', `${epoch} in ${state.context.epoch}`, 'wrong-epoch');
  return pastKeys(state.suite, past);
}

function remember(state: GroupState, item: ResolvedProposal): GroupState {
  const known = state.pending.some(({ reference }) => equal(reference!, item.reference!));
  return known ? state : { ...state, pending: [...state.pending, item] };
}

/** Sends a proposal, which we then hold as pending too. @throws MlsError */
export async function propose(
  state: GroupState,
  proposal: Proposal,
  authenticatedData: Uint8Array,
  asPrivate: boolean,
  random: Random,
): Promise<[GroupState, Uint8Array]> {
  checkOpen(state);
  const { suite } = state;
  const content = frame(state, { type: PROPOSAL, proposal }, authenticatedData);
  const item = { proposal, sender: content.sender };
  await checkProposal(state, { ...item, reference: null }, null);
  const keys = epochKeys(state);
  const wireFormat = asPrivate ? PRIVATE_MESSAGE : PUBLIC_MESSAGE;
  const signature = await signContent(suite, state.signaturePrivate, wireFormat, content, keys.context);
  const framed = { wireFormat, content, auth: { signature, confirmationTag: null } } as const;
  const next = remember(state, { ...item, reference: proposalRef(suite, framed) });
  if (!asPrivate) {
    const publicMessage = protectPublic(suite, framed, keys.context, state.secrets.membershipKey);
    return [next, encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage })];
  }
  const [privateMessage, secretTree] = await protectPrivate(framed, keys, 0, random);
  return [{ ...next, secretTree }, encodeMessage({ wireFormat: PRIVATE_MESSAGE, privateMessage })];
}

/** Takes in a proposal of this epoch, to be found by its reference. @throws MlsError */
export async function receiveProposal(state: GroupState, data: Uint8Array): Promise<[GroupState, ReceivedProposal]> {
  checkOpen(state);
  const message: MlsMessage = decode(mlsMessage, data);
  const { content, state: after } = await unprotect(state, message);
  const { sender, content: body, authenticatedData } = content.content;
  ensure(body.type === PROPOSAL, '6-not-a-proposal');
  const { proposal } = body;
  const reference = proposalRef(state.suite, content);
  const item = { proposal, sender, reference };
  await checkProposal(state, item, null);
  const leaf = sender.type === MEMBER ? state.tree.leaf(sender.leafIndex) : null;
  const proposer = sender.type === MEMBER && leaf ? member(sender.leafIndex, leaf) : null;
  return [remember(after, item), { ...item, member: proposer, authenticatedData }];
}

