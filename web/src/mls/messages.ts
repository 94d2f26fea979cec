import { equal } from '../crypto/compare.ts';
import type { Random } from '../crypto/random.ts';
import { decode } from './codec.ts';
import { type GroupState, checkOpen, epochKeys } from './epoch.ts';
import { ensure } from './errors.ts';
import {
  type Content,
  type FramedContent,
  MEMBER,
  type MlsMessage,
  PRIVATE_MESSAGE,
  PROPOSAL,
  PUBLIC_MESSAGE,
  type Sender,
  encodeMessage,
  mlsMessage,
} from './framing.ts';
import { unprotect } from './verifying.ts';
import { type Member, member } from './views.ts';
import type { Proposal } from './proposal.ts';
import { type ResolvedProposal, checkProposal, proposalRef } from './proposals.ts';
import { protectPrivate, protectPublic, signContent } from './protect.ts';

/** A proposal that was accepted and waits for a commit. */
export interface ReceivedProposal {
  readonly reference: Uint8Array;
  readonly proposal: Proposal;
  readonly sender: Sender;
  /** Who proposed, if a member did. */
  readonly member: Member | null;
  readonly authenticatedData: Uint8Array;
}

function frame(state: GroupState, content: Content, authenticatedData: Uint8Array): FramedContent {
  const { groupId, epoch } = state.context;
  return { groupId, epoch, sender: { type: MEMBER, leafIndex: state.own }, authenticatedData, content };
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
export async function receiveProposal(
  state: GroupState,
  data: Uint8Array,
  maxLifetime?: number,
): Promise<[GroupState, ReceivedProposal]> {
  checkOpen(state);
  const message: MlsMessage = decode(mlsMessage, data);
  const { content, state: after } = await unprotect(state, message);
  const { sender, content: body, authenticatedData } = content.content;
  ensure(body.type === PROPOSAL, '6-not-a-proposal');
  const { proposal } = body;
  const reference = proposalRef(state.suite, content);
  const item = { proposal, sender, reference };
  await checkProposal({ ...state, maxLifetime }, item, null);
  const leaf = sender.type === MEMBER ? state.tree.leaf(sender.leafIndex) : null;
  const proposer = sender.type === MEMBER && leaf ? member(sender.leafIndex, leaf) : null;
  return [remember(after, item), { ...item, member: proposer, authenticatedData }];
}

