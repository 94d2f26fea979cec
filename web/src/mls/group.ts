import { equal } from '../crypto/compare.ts';
import type { Random } from '../crypto/random.ts';
import { applyCommit } from './applying.ts';
import { MAX_LIFETIME, checkKeyPackage, checkLifetime, checkLifetimeSpan } from './checks.ts';
import { constant, decode, encode, opaque, optional, struct, u8, vector } from './codec.ts';
import { type CommitOptions, type LeafChange, changedLeaf, makeCommit } from './committing.ts';
import type { Credential } from './credential.ts';
import { type GroupState, encodedContext, retire } from './epoch.ts';
import { ensure } from './errors.ts';
import type { Extension } from './extensions.ts';
import { type JoinExternalOptions, joinExternal } from './external.ts';
import { type CreateOptions, found } from './founding.ts';
import { GROUP_INFO, PRIVATE_MESSAGE, PUBLIC_MESSAGE, encodeMessage, mlsMessage } from './framing.ts';
import { type GroupContext, groupContext } from './groupcontext.ts';
import { type JoinOptions, expiredLeaves, join, otherExtensions } from './joining.ts';
import { type KeyPackage, type KeyPackageBundle, keyPackage } from './keypackage.ts';
import { FROM_UPDATE, signLeaf } from './leaf.ts';
import { type ApplicationMessage, type ReceivedProposal, decrypt, encrypt, propose, receiveProposal } from './messages.ts';
import { type Proposal, type ReInit, UPDATE } from './proposal.ts';
import type { ResolvedProposal } from './proposals.ts';
import type { PskId, Psks } from './psk.ts';
import { exportSecret } from './schedule.ts';
import { decodeState, encodeState, resolvedProposal } from './state.ts';
import { EMPTY, type Suite, suiteById } from './suite.ts';
import { type VerifiedCommit, verifyCommit } from './verifying.ts';
import { type Member, type MessageInfo, member } from './views.ts';
import { makeGroupInfo, makeWelcome } from './welcoming.ts';

export { KeyPackageBundle, encodeKeyPackage, makeKeyPackage } from './keypackage.ts';
export { SUITE_X25519, SUITE_XWING, suiteById } from './suite.ts';
export type { ApplicationMessage, CommitOptions, LeafChange, Member, MessageInfo, ReceivedProposal, VerifiedCommit };

/** What a stranger sent: well-formed, and nothing more is known. `verifyKeyPackage` makes it usable. */
export interface UnverifiedKeyPackage {
  readonly unverified: KeyPackage;
}

/** A KeyPackage (not wrapped in an MLSMessage) from a stranger. @throws MlsError */
export function decodeKeyPackage(data: Uint8Array): UnverifiedKeyPackage {
  return { unverified: decode(keyPackage, data) };
}

/**
 * RFC 9420, section 10.1, with the lifetime at `now` (ms) and at most `maxLifetime` (seconds) long. What its credential
 * means is the caller's to judge. @throws MlsError
 */
export async function verifyKeyPackage(
  { unverified }: UnverifiedKeyPackage,
  now: number,
  maxLifetime = MAX_LIFETIME,
): Promise<KeyPackage> {
  await checkKeyPackage(suiteById(unverified.cipherSuite), unverified);
  checkLifetimeSpan(unverified.leafNode, maxLifetime);
  checkLifetime(unverified.leafNode, now);
  return unverified;
}

/** Group, epoch and kind of a public or private message, before anything is verified. @throws MlsError */
export function inspect(data: Uint8Array): MessageInfo {
  const message = decode(mlsMessage, data);
  if (message.wireFormat === PUBLIC_MESSAGE) {
    const { groupId, epoch, content } = message.publicMessage.content;
    return { groupId, epoch: Number(epoch), contentType: content.type, isPrivate: false };
  }
  ensure(message.wireFormat === PRIVATE_MESSAGE, '6-not-a-group-message');
  const { groupId, epoch, contentType } = message.privateMessage;
  return { groupId, epoch: Number(epoch), contentType, isPrivate: true };
}

/** What a Welcome gave. */
export interface Joined {
  readonly group: Group;
  /** Without the tree. */
  readonly groupInfoExtensions: readonly Extension[];
  readonly signerLeafIndex: number;
  /** The key package that the Welcome was for, used up unless it is the last resort. */
  readonly bundle: KeyPackageBundle;
  /** Those mixed in. For one to re-initialise or branch the caller compares the members with the old group's. */
  readonly psks: readonly PskId[];
  /** Leaves whose key package had run out at the time of joining. */
  readonly expired: readonly number[];
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

/**
 * One member's view of one epoch of an MLS group (RFC 9420). Immutable: what changes it gives a new one, what fails
 * leaves it as it was. Save `encode()` before anything made with it leaves the device, else a key could be used twice.
 *
 * An own commit is entered by `mergeCommit` on the *current* group: `PendingCommit.group` is the next epoch as of the
 * moment of its making, and would open again what was opened since.
 */
export class Group {
  readonly #state: GroupState;

  private constructor(state: GroupState) {
    this.#state = state;
  }

  /** A group of one at epoch 0. Without `capabilities` the leaf supports the extension types used here. */
  static async create(
    suite: Suite,
    groupId: Uint8Array,
    credential: Credential,
    signaturePrivate: Uint8Array,
    options: CreateOptions,
  ): Promise<Group> {
    return new Group(await found(suite, groupId, credential, signaturePrivate, options));
  }

  /** Joins by a Welcome for one of the key packages; who the members are is the caller's to judge. @throws MlsError */
  static async join(
    welcome: Uint8Array,
    bundles: readonly KeyPackageBundle[],
    options: JoinOptions & { readonly now: number },
  ): Promise<Joined> {
    const { state, bundle, groupInfo, psks } = await join(welcome, bundles, options);
    return {
      group: new Group(state),
      groupInfoExtensions: otherExtensions(groupInfo),
      signerLeafIndex: groupInfo.signer,
      bundle,
      psks,
      expired: expiredLeaves(state.tree, options.now),
    };
  }

  /** Joins by a commit of our own to a GroupInfo with an external key: use `group` once it is accepted. @throws MlsError */
  static async joinExternal(
    groupInfo: Uint8Array,
    credential: Credential,
    signaturePrivate: Uint8Array,
    options: JoinExternalOptions,
  ): Promise<PendingCommit> {
    const { message, state, proposals } = await joinExternal(groupInfo, credential, signaturePrivate, options);
    return new PendingCommit({ message, welcome: null, group: new Group(state), proposals, before: null });
  }

  get suite(): Suite {
    return this.#state.suite;
  }

  get context(): GroupContext {
    return this.#state.context;
  }

  get groupId(): Uint8Array {
    return this.#state.context.groupId;
  }

  get epoch(): number {
    return Number(this.#state.context.epoch);
  }

  get treeHash(): Uint8Array {
    return this.#state.context.treeHash;
  }

  get confirmedTranscriptHash(): Uint8Array {
    return this.#state.context.confirmedTranscriptHash;
  }

  /** The same for all members of the epoch, and for nobody else (section 8.7). */
  get epochAuthenticator(): Uint8Array {
    return this.#state.secrets.epochAuthenticator;
  }

  /** The epoch's resumption PSK (section 8.6), for another group's `psks` under `<group id in hex>/<epoch>`. */
  get resumptionPsk(): Uint8Array {
    return this.#state.secrets.resumptionPsk;
  }

  get ownLeafIndex(): number {
    return this.#state.own;
  }

  get ownSignatureKey(): Uint8Array {
    return this.#state.tree.leaf(this.#state.own)!.signatureKey;
  }

  /** The ReInit that ended this group, if one did: it sends nothing more. */
  get reInit(): ReInit | null {
    return this.#state.reInit;
  }

  /** The content of a ratchet_tree extension. */
  get tree(): Uint8Array {
    return this.#state.tree.encode();
  }

  /** Former epochs whose messages still open, ascending. */
  get pastEpochs(): readonly number[] {
    return this.#state.past.map((past) => Number(past.epoch));
  }

  /** Received and own proposals of this epoch, in order of arrival. */
  get pendingProposals(): readonly ResolvedProposal[] {
    return this.#state.pending;
  }

  /** Ascending by leaf index. */
  members(): readonly Member[] {
    return [...this.#state.tree.leaves()].map(([index, leaf]) => member(index, leaf));
  }

  member(leafIndex: number): Member | null {
    const leaf = this.#state.tree.leaf(leafIndex);
    return leaf && member(leafIndex, leaf);
  }

  /** MLS-Exporter (section 8.5). */
  export(label: string | Uint8Array, context: Uint8Array, length: number): Uint8Array {
    return exportSecret(this.#state.suite, this.#state.secrets.exporterSecret, label, context, length);
  }

  /** An MLSMessage with a signed GroupInfo; with `externalPub` whoever has it can join. */
  async groupInfo(
    options: {
      readonly extensions?: readonly Extension[];
      readonly externalPub?: boolean;
      readonly tree?: boolean;
    } = {},
  ): Promise<Uint8Array> {
    const include = { tree: options.tree !== false, externalPub: options.externalPub === true };
    const groupInfo = await makeGroupInfo(this.#state, options.extensions ?? [], include);
    return encodeMessage({ wireFormat: GROUP_INFO, groupInfo });
  }

  /** An application message with `padding` zero bytes inside. Refused while proposals wait (section 12.4). @throws MlsError */
  async encrypt(
    data: Uint8Array,
    options: { readonly authenticatedData?: Uint8Array; readonly padding?: number; readonly random: Random },
  ): Promise<[Group, Uint8Array]> {
    const { authenticatedData = EMPTY, padding = 0, random } = options;
    const [state, message] = await encrypt(this.#state, data, authenticatedData, padding, random);
    return [new Group(state), message];
  }

  /**
   * Opens an application message of this or a past epoch, once. @throws MlsError, code `wrong-epoch` where its keys are
   * not there, `replayed` where its key was used
   */
  async decrypt(message: Uint8Array): Promise<[Group, ApplicationMessage]> {
    const [state, opened] = await decrypt(this.#state, message);
    return [new Group(state), opened];
  }

  /** Drops the receive keys of past epochs below `epoch`. */
  forgetEpochsBefore(epoch: number): Group {
    return new Group({ ...this.#state, past: this.#state.past.filter((past) => past.epoch >= BigInt(epoch)) });
  }

  /** A proposal message, which waits here too. An own Update is made by `proposeUpdate`. @throws MlsError */
  async propose(proposal: Proposal, options: ProposeOptions): Promise<[Group, Uint8Array]> {
    ensure(proposal.type !== UPDATE, '12.1.2-own-update', 'proposeUpdate makes its keys too');
    return Group.#propose(this.#state, proposal, options);
  }

  /** An Update of the own leaf, whose signature key stays. Draws its encryption key pair. @throws MlsError */
  async proposeUpdate(options: ProposeOptions & { readonly leaf?: LeafChange }): Promise<[Group, Uint8Array]> {
    const { suite, tree, own, context, signaturePrivate, updates } = this.#state;
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
    return Group.#propose({ ...this.#state, updates: kept }, { type: UPDATE, leafNode }, options);
  }

  static async #propose(state: GroupState, proposal: Proposal, options: ProposeOptions): Promise<[Group, Uint8Array]> {
    const { authenticatedData = EMPTY, random } = options;
    const [after, message] = await propose(state, proposal, authenticatedData, options.private === true, random);
    return [new Group(after), message];
  }

  /** Checks a proposal message of the current epoch and keeps it for a commit. Receiving one twice changes nothing. @throws MlsError */
  async receiveProposal(message: Uint8Array): Promise<[Group, ReceivedProposal]> {
    const [state, received] = await receiveProposal(this.#state, message);
    return [new Group(state), received];
  }

  /**
   * A commit of pending proposals and those given, in that order, with a path unless told. This group stays as it is:
   * see `mergeCommit`. A private commit spends a key of this epoch that this group does not count, so it must not be
   * made twice from one state. @throws MlsError
   */
  async commit(proposals: readonly Proposal[], options: GroupCommitOptions): Promise<PendingCommit> {
    const made = await makeCommit(this.#state, proposals, options);
    const group = new Group(made.state);
    const { groupInfoExtensions: given = [] } = options;
    const extensions = typeof given === 'function' ? given(group) : given;
    const welcome = await makeWelcome(made, extensions, options.treeInWelcome !== false, options.random);
    return new PendingCommit({
      message: made.message,
      welcome,
      group,
      proposals: made.proposals,
      before: this.#state.context,
    });
  }

  /** The next epoch by an own commit, with what this group opened since the commit was made. @throws MlsError */
  mergeCommit(pending: PendingCommit, options: { readonly keepPast?: boolean } = {}): Group {
    const [before, here] = [pending.before, this.#state.context];
    const same = before !== null && equal(encodedContext(before), encodedContext(here));
    ensure(same, '12.4.2-other-epoch', 'the commit was made in another epoch');
    const { past } = this.#state;
    const kept = options.keepPast === false ? past : [...past, retire(this.#state)];
    return new Group({ ...pending.group.#state, past: kept });
  }

  /**
   * Everything that any member can check, with one verdict for all who hold the same epoch and pending proposals if
   * `now` (ms) is the same for all: the relay's time of the record, not our clock. @throws MlsError
   */
  verifyCommit(message: Uint8Array, options: { readonly now: number }): Promise<VerifiedCommit> {
    return verifyCommit(this.#state, message, options.now);
  }

  /** The next epoch by another member's commit. @throws MlsError, code `removed`, `path` or `mls` */
  async applyCommit(
    verified: VerifiedCommit,
    options: { readonly psks?: Psks; readonly keepPast?: boolean } = {},
  ): Promise<Group> {
    const { psks = new Map(), keepPast = true } = options;
    return new Group(await applyCommit(this.#state, verified, psks, keepPast));
  }

  /** One blob, with private keys inside. */
  encode(): Uint8Array {
    return encodeState(this.#state);
  }

  /** @throws MlsError */
  static decode(data: Uint8Array): Group {
    return new Group(decodeState(data));
  }
}

interface PendingFields {
  readonly format: 1;
  readonly message: Uint8Array;
  readonly welcome: Uint8Array | null;
  readonly group: Uint8Array;
  readonly proposals: readonly ResolvedProposal[];
  readonly before: GroupContext | null;
}

const pendingCommit = struct<PendingFields>({
  format: constant(u8, 1, 'state-version'),
  message: opaque,
  welcome: optional(opaque),
  group: opaque,
  proposals: vector(resolvedProposal),
  before: optional(groupContext),
});

/** An own commit that nobody has accepted yet. */
export class PendingCommit {
  /** MLSMessages. */
  readonly message: Uint8Array;
  readonly welcome: Uint8Array | null;
  /** The next epoch. */
  readonly group: Group;
  readonly proposals: readonly ResolvedProposal[];
  /** The GroupContext that it ends; null for an external join. */
  readonly before: GroupContext | null;

  constructor(fields: Pick<PendingCommit, 'message' | 'welcome' | 'group' | 'proposals' | 'before'>) {
    this.message = fields.message;
    this.welcome = fields.welcome;
    this.group = fields.group;
    this.proposals = fields.proposals;
    this.before = fields.before;
  }

  /** The next epoch's ratchet tree, for joiners whose Welcome does not hold it. */
  get tree(): Uint8Array {
    return this.group.tree;
  }

  /** One blob, with private keys inside. */
  encode(): Uint8Array {
    const { message, welcome, group, proposals, before } = this;
    return encode(pendingCommit, { format: 1, message, welcome, group: group.encode(), proposals, before });
  }

  /** @throws MlsError */
  static decode(data: Uint8Array): PendingCommit {
    const fields = decode(pendingCommit, data);
    return new PendingCommit({ ...fields, group: Group.decode(fields.group) });
  }
}
