import type { Random } from '../crypto/random.ts';
import { type KeyPackageBundle, type LeafOptions, capabilitiesFor } from './bundle.ts';
import { checkMembers } from './checks.ts';
import { type CommitOptions, type LeafChange, changedLeaf, createCommit, describe, externalPubExtension } from './committing.ts';
import { decode, encode, opaque, optional, struct, vector } from './codec.ts';
import type { Credential } from './credential.ts';
import { type GroupState, startEpoch } from './epoch.ts';
import { type Extension, RATCHET_TREE } from './extensions.ts';
import { type ExternalJoinOptions, joinExternally } from './external.ts';
import { GROUP_INFO, encodeMessage } from './framing.ts';
import type { GroupContext } from './groupcontext.ts';
import { type JoinOptions, join, otherExtensions } from './joining.ts';
import { FROM_KEY_PACKAGE, FROM_UPDATE, type Lifetime, MLS10, signLeaf } from './leaf.ts';
import { type Member, member } from './member.ts';
import { type ApplicationMessage, type ReceivedProposal, decrypt, encrypt, propose, receiveProposal } from './messages.ts';
import { type VerifiedCommit, applyCommit, verifyCommit } from './processing.ts';
import { type Proposal, type ReInit, UPDATE } from './proposal.ts';
import type { ResolvedProposal } from './proposals.ts';
import type { Psks } from './psk.ts';
import { exportSecret, fromEpochSecret } from './schedule.ts';
import { decodeState, encodeState, resolvedProposal } from './state.ts';
import { EMPTY, type Suite } from './suite.ts';
import { interimTranscriptHash } from './transcript.ts';
import { RatchetTree } from './tree.ts';

export interface Joined {
  readonly group: Group;
  /** The key package that the Welcome was for, now used up unless it is the last resort. */
  readonly bundle: KeyPackageBundle;
  readonly groupInfoExtensions: readonly Extension[];
  readonly signerLeafIndex: number;
}

export interface CreateOptions extends LeafOptions {
  readonly extensions?: readonly Extension[];
  readonly lifetime: Lifetime;
  readonly random: Random;
}

/**
 * One member's view of an MLS group (RFC 9420). Immutable: operations give a new group, and one that fails has changed
 * nothing. Who keeps groups stores the new one before anything made with it leaves, and forgets the old one.
 */
export class Group {
  readonly #state: GroupState;

  private constructor(state: GroupState) {
    this.#state = state;
  }

  /** A group of one member at epoch 0 (section 11). Draws the leaf's key pair, then the epoch secret. */
  static async create(
    suite: Suite,
    groupId: Uint8Array,
    credential: Credential,
    signaturePrivate: Uint8Array,
    options: CreateOptions,
  ): Promise<Group> {
    const { extensions = [], leafExtensions = [], lifetime, random } = options;
    const pair = await suite.kem.generate(random);
    const epochSecret = random.bytes(suite.hash.size);
    const leaf = await signLeaf(
      suite,
      signaturePrivate,
      {
        encryptionKey: pair.publicKey,
        signatureKey: await suite.signature.publicKey(signaturePrivate),
        credential,
        capabilities: capabilitiesFor(suite, options.capabilities, [...extensions, ...leafExtensions]),
        source: { type: FROM_KEY_PACKAGE, lifetime },
        extensions: leafExtensions,
      },
      null,
    );
    const tree = RatchetTree.single(leaf);
    checkMembers(tree, extensions);
    const context: GroupContext = {
      version: MLS10,
      cipherSuite: suite.id,
      groupId,
      epoch: 0n,
      treeHash: tree.hash(suite),
      confirmedTranscriptHash: EMPTY,
      extensions,
    };
    const entered = startEpoch(suite, fromEpochSecret(suite, epochSecret), tree.size);
    const confirmationTag = suite.hash.mac(entered.secrets.confirmationKey, EMPTY);
    return new Group({
      ...entered,
      suite,
      context,
      tree,
      own: 0,
      signaturePrivate,
      privateKeys: new Map([[0, pair.privateKey]]),
      interimTranscriptHash: interimTranscriptHash(suite, EMPTY, confirmationTag),
      confirmationTag,
      pending: [],
      updates: [],
      past: [],
      reInit: null,
    });
  }

  /** Joins by a Welcome for one of the key packages (section 12.4.3.1). @throws MlsError */
  static async join(
    welcome: Uint8Array,
    bundles: readonly KeyPackageBundle[],
    options: JoinOptions = {},
  ): Promise<Joined> {
    const { state, bundle, groupInfo } = await join(welcome, bundles, options);
    return {
      group: new Group(state),
      bundle,
      groupInfoExtensions: otherExtensions(groupInfo),
      signerLeafIndex: groupInfo.signer,
    };
  }

  /** Joins by a commit of our own (section 12.4.3.2): [group, the commit]. @throws MlsError */
  static async joinExternally(
    groupInfo: Uint8Array,
    credential: Credential,
    signaturePrivate: Uint8Array,
    options: ExternalJoinOptions,
  ): Promise<[Group, Uint8Array]> {
    const [state, commit] = await joinExternally(groupInfo, credential, signaturePrivate, options);
    return [new Group(state), commit];
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

  get ownLeafIndex(): number {
    return this.#state.own;
  }

  /** Our public signature key. */
  get ownSignatureKey(): Uint8Array {
    return this.#state.tree.leaf(this.#state.own)!.signatureKey;
  }

  get epochAuthenticator(): Uint8Array {
    return this.#state.secrets.epochAuthenticator;
  }

  get resumptionPsk(): Uint8Array {
    return this.#state.secrets.resumptionPsk;
  }

  get treeHash(): Uint8Array {
    return this.#state.context.treeHash;
  }

  get confirmedTranscriptHash(): Uint8Array {
    return this.#state.context.confirmedTranscriptHash;
  }

  /** The ratchet tree, for joiners whose Welcome does not hold it. */
  get tree(): Uint8Array {
    return this.#state.tree.encode();
  }

  get members(): readonly Member[] {
    return [...this.#state.tree.leaves()].map(([index, leaf]) => member(index, leaf));
  }

  /** Proposals of this epoch that nobody has committed, in order of arrival. */
  get pendingProposals(): readonly ResolvedProposal[] {
    return this.#state.pending;
  }

  /** Whose late messages still open, oldest first. */
  get pastEpochs(): readonly number[] {
    return this.#state.past.map((past) => Number(past.epoch));
  }

  /** What the group was reinitialised to, if it was: it sends nothing more. */
  get reInit(): ReInit | null {
    return this.#state.reInit;
  }

  /** MLS-Exporter (section 8.5). */
  export(label: string | Uint8Array, context: Uint8Array, length: number): Uint8Array {
    return exportSecret(this.#state.suite, this.#state.secrets.exporterSecret, label, context, length);
  }

  /** Seals application data: [group, MLSMessage]. `padding` is a number of zero bytes. @throws MlsError */
  async encrypt(
    data: Uint8Array,
    options: { readonly authenticatedData?: Uint8Array; readonly padding?: number; readonly random: Random },
  ): Promise<[Group, Uint8Array]> {
    const { authenticatedData = EMPTY, padding = 0, random } = options;
    const [state, message] = await encrypt(this.#state, data, authenticatedData, padding, random);
    return [new Group(state), message];
  }

  /** Opens an application message of this or a retained past epoch, exactly once. @throws MlsError */
  async decrypt(message: Uint8Array): Promise<[Group, ApplicationMessage]> {
    const [state, opened] = await decrypt(this.#state, message);
    return [new Group(state), opened];
  }

  /** Sends a proposal: [group, MLSMessage]. @throws MlsError */
  async propose(
    proposal: Proposal,
    options: { readonly authenticatedData?: Uint8Array; readonly private?: boolean; readonly random: Random },
  ): Promise<[Group, Uint8Array]> {
    const { authenticatedData = EMPTY, random } = options;
    const [state, message] = await propose(this.#state, proposal, authenticatedData, options.private === true, random);
    return [new Group(state), message];
  }

  /** An Update of our leaf, to be proposed: [group that holds its keys, proposal]. Draws the leaf's key pair. */
  async update(options: { readonly leaf?: LeafChange; readonly random: Random }): Promise<[Group, Proposal]> {
    const { suite, tree, own, context, updates } = this.#state;
    const change = options.leaf ?? {};
    const signaturePrivate = change.signaturePrivate ?? this.#state.signaturePrivate;
    const pair = await suite.kem.generate(options.random);
    const content = await changedLeaf(suite, tree.leaf(own)!, change);
    const leafNode = await signLeaf(
      suite,
      signaturePrivate,
      { ...content, encryptionKey: pair.publicKey, source: { type: FROM_UPDATE } },
      { groupId: context.groupId, leafIndex: own },
    );
    const kept = { encryptionKey: pair.publicKey, encryptionPrivate: pair.privateKey, signaturePrivate };
    return [new Group({ ...this.#state, updates: [...updates, kept] }), { type: UPDATE, leafNode }];
  }

  /** Takes in a proposal of this epoch. @throws MlsError */
  async receiveProposal(message: Uint8Array): Promise<[Group, ReceivedProposal]> {
    const [state, received] = await receiveProposal(this.#state, message);
    return [new Group(state), received];
  }

  /** Makes a commit; `PendingCommit.group` is the next epoch, to be entered once the commit is accepted. @throws MlsError */
  async commit(proposals: readonly Proposal[], options: CommitOptions): Promise<PendingCommit> {
    const made = await createCommit(this.#state, proposals, options);
    return new PendingCommit({
      ...made,
      group: new Group(made.state),
      current: made.current && new Group(made.current),
    });
  }

  /**
   * Checks all of a commit that any member can check. `now` (milliseconds) judges the lifetimes of those added, null
   * leaves them unjudged. @throws MlsError
   */
  verifyCommit(message: Uint8Array, options: { readonly now: number | null }): Promise<VerifiedCommit> {
    return verifyCommit(this.#state, message, options.now);
  }

  /** Enters the epoch that a verified commit starts. @throws MlsError, code `removed` where it removes us */
  async applyCommit(
    verified: VerifiedCommit,
    options: { readonly psks?: Psks; readonly keepPast?: boolean } = {},
  ): Promise<Group> {
    const { psks = new Map(), keepPast = true } = options;
    return new Group(await applyCommit(this.#state, verified, psks, keepPast));
  }

  /** A signed GroupInfo as MLSMessage, with the tree unless told; with `externalPub` outsiders can join by it. */
  async groupInfo(
    options: {
      readonly extensions?: readonly Extension[];
      readonly externalPub?: boolean;
      readonly tree?: boolean;
    } = {},
  ): Promise<Uint8Array> {
    const extensions = [...(options.extensions ?? [])];
    if (options.tree !== false) extensions.push({ type: RATCHET_TREE, data: this.tree });
    if (options.externalPub) extensions.push(await externalPubExtension(this.#state));
    const groupInfo = await describe(this.#state, extensions);
    return encodeMessage({ wireFormat: GROUP_INFO, groupInfo });
  }

  /** The group without the receive keys of epochs before `epoch`. */
  forgetEpochsBefore(epoch: number): Group {
    return new Group({ ...this.#state, past: this.#state.past.filter((past) => past.epoch >= BigInt(epoch)) });
  }

  /** Everything, private keys included, for storage. */
  encode(): Uint8Array {
    return encodeState(this.#state);
  }

  /** @throws MlsError code `malformed` */
  static decode(data: Uint8Array): Group {
    return new Group(decodeState(data));
  }
}

interface PendingFields {
  readonly message: Uint8Array;
  readonly welcome: Uint8Array | null;
  readonly group: Uint8Array;
  readonly current: Uint8Array | null;
  readonly proposals: readonly ResolvedProposal[];
}

const pendingCodec = struct<PendingFields>({
  message: opaque,
  welcome: optional(opaque),
  group: opaque,
  current: optional(opaque),
  proposals: vector(resolvedProposal),
});

/** A commit of ours that is not accepted yet. */
export class PendingCommit {
  readonly message: Uint8Array;
  readonly welcome: Uint8Array | null;
  /** The next epoch. */
  readonly group: Group;
  /** Of a private commit: this epoch without the key that it used, to go on with until then. */
  readonly current: Group | null;
  readonly proposals: readonly ResolvedProposal[];

  constructor(fields: {
    readonly message: Uint8Array;
    readonly welcome: Uint8Array | null;
    readonly group: Group;
    readonly current: Group | null;
    readonly proposals: readonly ResolvedProposal[];
  }) {
    this.message = fields.message;
    this.welcome = fields.welcome;
    this.group = fields.group;
    this.current = fields.current;
    this.proposals = fields.proposals;
  }

  /** The next epoch's ratchet tree, for joiners whose Welcome does not hold it. */
  get tree(): Uint8Array {
    return this.group.tree;
  }

  encode(): Uint8Array {
    const { message, welcome, group, current, proposals } = this;
    return encode(pendingCodec, {
      message,
      welcome,
      group: group.encode(),
      current: current && current.encode(),
      proposals,
    });
  }

  /** @throws MlsError code `malformed` */
  static decode(data: Uint8Array): PendingCommit {
    const fields = decode(pendingCodec, data);
    return new PendingCommit({
      ...fields,
      group: Group.decode(fields.group),
      current: fields.current && Group.decode(fields.current),
    });
  }
}

