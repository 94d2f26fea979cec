import { equal } from '../crypto/compare.ts';
import type { Random } from '../crypto/random.ts';
import * as applying from './applying.ts';
import { decode } from './codec.ts';
import { type CommitOptions, type LeafChange, changedLeaf, makeCommit } from './committing.ts';
import type { Credential } from './credential.ts';
import { type GroupState, encodedContext } from './epoch.ts';
import { ensure } from './errors.ts';
import type { Extension } from './extensions.ts';
import * as external from './external.ts';
import { type CreateOptions, found } from './founding.ts';
import { GROUP_INFO, PRIVATE_MESSAGE, PUBLIC_MESSAGE, encodeMessage, mlsMessage } from './framing.ts';
import { isEpoch } from './groupcontext.ts';
import { Group, stateOf } from './handle.ts';
import { FROM_UPDATE, signLeaf } from './leaf.ts';
import * as messages from './messages.ts';
import { PendingCommit } from './pendingcommit.ts';
import { type Proposal, type ReInit, type ResolvedProposal, UPDATE } from './proposal.ts';
import type { Psks } from './psk.ts';
import { EMPTY, type Suite } from './suite.ts';
import { retire } from './transitions.ts';
import * as verifying from './verifying.ts';
import type { MessageInfo } from './views.ts';
import * as welcoming from './welcoming.ts';

/*
 * What a member does with a group besides joining it and talking in it. Functions, not methods of `Group`: they are
 * loaded after what a first message needs. Each leaves the group given as it is.
 */

export type { ReceivedProposal } from './messages.ts';
export type { VerifiedCommit } from './verifying.ts';
export type { CommitOptions, LeafChange, MessageInfo };
export { PendingCommit };
export { decodeGroup, encodeGroup } from './blob.ts';
export { groupFromParts } from './restoring.ts';
export { type UnverifiedKeyPackage, decodeKeyPackage, verifyKeyPackage } from './keypackagechecks.ts';
export { type DescribedGroup, describes, readGroupInfo } from './described.ts';
export { type SameClient, following } from './succession.ts';

/** The epoch that a message names, as long as a group can come to it. */
function epochOf(epoch: bigint): number {
  ensure(isEpoch(epoch), '8.1-last-epoch', '', 'malformed');
  return Number(epoch);
}

/** Group, epoch and kind of a public or private message, before anything is verified. @throws MlsError */
export function inspect(data: Uint8Array): MessageInfo {
  const message = decode(mlsMessage, data);
  if (message.wireFormat === PUBLIC_MESSAGE) {
    const { groupId, epoch, content } = message.publicMessage.content;
    return { groupId, epoch: epochOf(epoch), contentType: content.type, isPrivate: false };
  }
  ensure(message.wireFormat === PRIVATE_MESSAGE, '6-not-a-group-message');
  const { groupId, epoch, contentType } = message.privateMessage;
  return { groupId, epoch: epochOf(epoch), contentType, isPrivate: true };
}

/** GroupInfo extensions, or a function of the next epoch's group for what only its exporter knows. */
export type GroupInfoExtensions = readonly Extension[] | ((next: Group) => readonly Extension[]);

export interface GroupCommitOptions extends CommitOptions {
  readonly groupInfoExtensions?: GroupInfoExtensions;
  readonly treeInWelcome?: boolean;
}

interface ProposeOptions {
  readonly authenticatedData?: Uint8Array;
  readonly private?: boolean;
  readonly random: Random;
}

/** A group of one at epoch 0. Without `capabilities` the leaf supports the extension types used here. */
export async function createGroup(
  suite: Suite,
  groupId: Uint8Array,
  credential: Credential,
  signaturePrivate: Uint8Array,
  options: CreateOptions,
): Promise<Group> {
  return new Group(await found(suite, groupId, credential, signaturePrivate, options));
}

/** Joins by a commit of our own to a GroupInfo with an external key: use `group` once it is accepted. @throws MlsError */
export async function joinExternal(
  groupInfo: Uint8Array,
  credential: Credential,
  signaturePrivate: Uint8Array,
  options: external.JoinExternalOptions,
): Promise<PendingCommit> {
  const joined = await external.joinExternal(groupInfo, credential, signaturePrivate, options);
  const { message, state, proposals } = joined;
  return new PendingCommit({ message, welcome: null, group: new Group(state), proposals, before: null });
}

/** The epoch's resumption PSK (section 8.6), for another group's `psks` under `<group id in hex>/<epoch>`. */
export function resumptionPsk(group: Group): Uint8Array {
  return stateOf(group).secrets.resumptionPsk;
}

/** The ReInit that ended this group, if one did: it sends nothing more. */
export function reInit(group: Group): ReInit | null {
  return stateOf(group).reInit;
}

/** The content of a ratchet_tree extension. */
export function ratchetTree(group: Group): Uint8Array {
  return stateOf(group).tree.encode();
}

/** Former epochs whose messages still open, ascending. */
export function pastEpochs(group: Group): readonly number[] {
  return stateOf(group).past.map(({ context }) => Number(context.epoch));
}

/** Received and own proposals of this epoch, in order of arrival. */
export function pendingProposals(group: Group): readonly ResolvedProposal[] {
  return stateOf(group).pending;
}

/** An MLSMessage with a signed GroupInfo; with `externalPub` whoever has it can join. */
export async function makeGroupInfo(
  group: Group,
  options: {
    readonly extensions?: readonly Extension[];
    readonly externalPub?: boolean;
    readonly tree?: boolean;
  } = {},
): Promise<Uint8Array> {
  const include = { tree: options.tree !== false, externalPub: options.externalPub === true };
  const groupInfo = await welcoming.makeGroupInfo(stateOf(group), options.extensions ?? [], include);
  return encodeMessage({ wireFormat: GROUP_INFO, groupInfo });
}

/** Drops the receive keys of past epochs below `epoch`. */
export function forgetEpochsBefore(group: Group, epoch: number): Group {
  const state = stateOf(group);
  return new Group({ ...state, past: state.past.filter(({ context }) => context.epoch >= BigInt(epoch)) });
}

/** A proposal message, which waits here too. An own Update is made by `proposeUpdate`. @throws MlsError */
export async function propose(group: Group, proposal: Proposal, options: ProposeOptions): Promise<[Group, Uint8Array]> {
  ensure(proposal.type !== UPDATE, '12.1.2-own-update', 'proposeUpdate makes its keys too');
  return proposeAny(stateOf(group), proposal, options);
}

/** An Update of the own leaf, whose signature key stays. Draws its encryption key pair. @throws MlsError */
export async function proposeUpdate(
  group: Group,
  options: ProposeOptions & { readonly leaf?: LeafChange },
): Promise<[Group, Uint8Array]> {
  const state = stateOf(group);
  const { suite, tree, own, context, signaturePrivate, updates } = state;
  const { leaf: change = {}, random } = options;
  ensure(change.signaturePrivate === undefined, '12.1.2-signature-key', 'a new signature key takes a commit');
  const pair = await suite.kem.generate(random);
  const content = await changedLeaf(suite, tree.leaf(own)!, change);
  const leafNode = await signLeaf(
    suite,
    signaturePrivate,
    { ...content, encryptionKey: pair.publicKey, source: { type: FROM_UPDATE } },
    { groupId: context.groupId, leafIndex: own },
  );
  const kept = [...updates, { encryptionKey: pair.publicKey, encryptionPrivate: pair.privateKey }];
  return proposeAny({ ...state, updates: kept }, { type: UPDATE, leafNode }, options);
}

async function proposeAny(state: GroupState, proposal: Proposal, options: ProposeOptions): Promise<[Group, Uint8Array]> {
  const { authenticatedData = EMPTY, random } = options;
  const isPrivate = options.private === true;
  const [after, message] = await messages.propose(state, proposal, authenticatedData, isPrivate, random);
  return [new Group(after), message];
}

/** Checks a proposal message of the current epoch and keeps it for a commit. Receiving one twice changes nothing. @throws MlsError */
export async function receiveProposal(
  group: Group,
  message: Uint8Array,
  options: { readonly maxLifetime?: number } = {},
): Promise<[Group, messages.ReceivedProposal]> {
  const [state, received] = await messages.receiveProposal(stateOf(group), message, options.maxLifetime);
  return [new Group(state), received];
}

/**
 * A commit of pending proposals and those given, in that order, with a path unless told. The group stays as it is:
 * see `mergeCommit`. A private commit spends a key of this epoch that the group does not count, so it must not be
 * made twice from one state. @throws MlsError
 */
export async function commitProposals(
  group: Group,
  proposals: readonly Proposal[],
  options: GroupCommitOptions,
): Promise<PendingCommit> {
  const made = await makeCommit(stateOf(group), proposals, options);
  const next = new Group(made.state);
  const { groupInfoExtensions: given = [] } = options;
  const extensions = typeof given === 'function' ? given(next) : given;
  const welcome = await welcoming.makeWelcome(made, extensions, options.treeInWelcome !== false, options.random);
  const { message, proposals: all } = made;
  return new PendingCommit({ message, welcome, group: next, proposals: all, before: group.context });
}

/**
 * The next epoch by an own commit, with what this group opened since the commit was made. Without `keepPast` no message
 * of this or a former epoch opens any more. @throws MlsError
 */
export function mergeCommit(
  group: Group,
  pending: PendingCommit,
  options: { readonly keepPast?: boolean } = {},
): Group {
  const [before, state] = [pending.before, stateOf(group)];
  const same = before !== null && equal(encodedContext(before), encodedContext(state.context));
  ensure(same, '12.4.2-other-epoch', 'the commit was made in another epoch');
  const next = stateOf(pending.group);
  const past = options.keepPast === false ? [] : [...state.past, retire(state, next.tree)];
  return new Group({ ...next, past });
}

/**
 * Everything that any member can check, with one verdict for all who hold the same epoch and pending proposals if
 * `now` (ms) and `maxLifetime` (seconds, of key packages that are added) are the same for all: `now` is the relay's
 * time of the record, not our clock. @throws MlsError
 */
export function verifyCommit(
  group: Group,
  message: Uint8Array,
  options: { readonly maxLifetime?: number; readonly now: number },
): Promise<verifying.VerifiedCommit> {
  return verifying.verifyCommit(stateOf(group), message, options.now, options.maxLifetime);
}

/** The next epoch by another member's commit; `keepPast` as in `mergeCommit`. @throws MlsError, code `removed`, `path` or `mls` */
export async function applyCommit(
  group: Group,
  verified: verifying.VerifiedCommit,
  options: { readonly psks?: Psks; readonly keepPast?: boolean } = {},
): Promise<Group> {
  const { psks = new Map(), keepPast = true } = options;
  return new Group(await applying.applyCommit(stateOf(group), verified, psks, keepPast));
}
