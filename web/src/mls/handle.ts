import type { Random } from '../crypto/random.ts';
import { type ApplicationMessage, decrypt, encrypt } from './application.ts';
import type { GroupState } from './epoch.ts';
import type { Extension } from './extensions.ts';
import type { GroupContext } from './groupcontext.ts';
import { type JoinOptions, expiredLeaves, join, otherExtensions } from './joining.ts';
import type { KeyPackageBundle } from './keypackage.ts';
import { type PartChanges, type Parts, changedParts } from './parts.ts';
import type { PskId } from './psk.ts';
import { exportSecret } from './schedule.ts';
import { EMPTY, type Suite } from './suite.ts';
import { type Member, member } from './views.ts';

/** What a Welcome gave. */
export interface Joined {
  readonly group: Group;
  /** Without the tree. */
  readonly groupInfoExtensions: readonly Extension[];
  readonly signerLeafIndex: number;
  /** The key package that the Welcome was for, used up unless it is the last resort. */
  readonly bundle: KeyPackageBundle;
  /** Those mixed in. */
  readonly psks: readonly PskId[];
  /** Leaves whose key package had run out at the time of joining. */
  readonly expired: readonly number[];
}

/** The state of a group, for the modules of this folder alone. */
export let stateOf: (group: Group) => GroupState;

/**
 * One member's view of one epoch of an MLS group (RFC 9420). Immutable: what changes it gives a new one, what fails
 * leaves it as it was. Save `parts()` or `changes()` before anything made with it leaves the device, else a key could be
 * used twice. All that is not needed for joining and talking is functions over it, in `changes`.
 */
export class Group {
  readonly #state: GroupState;

  static {
    stateOf = (group) => group.#state;
  }

  /** For the modules of this folder: others join, decode or create. */
  constructor(state: GroupState) {
    this.#state = state;
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

  get suite(): Suite {
    return this.#state.suite;
  }

  get context(): GroupContext {
    return this.#state.context;
  }

  get groupId(): Uint8Array {
    return this.context.groupId;
  }

  get epoch(): number {
    return Number(this.context.epoch);
  }

  get treeHash(): Uint8Array {
    return this.context.treeHash;
  }

  get confirmedTranscriptHash(): Uint8Array {
    return this.context.confirmedTranscriptHash;
  }

  /** The same for all members of the epoch, and for nobody else (section 8.7). */
  get epochAuthenticator(): Uint8Array {
    return this.#state.secrets.epochAuthenticator;
  }

  get ownLeafIndex(): number {
    return this.#state.own;
  }

  /** Ascending by leaf index. */
  members(): readonly Member[] {
    return [...this.#state.tree.leaves()].map(([index, leaf]) => member(index, leaf));
  }

  member(leafIndex: number): Member | null {
    const leaf = this.#state.tree.leaf(leafIndex);
    return leaf && member(leafIndex, leaf);
  }

  /** MLS-Exporter (section 8.5): `length` bytes, at most 255 hashes. @throws MlsError */
  export(label: string | Uint8Array, context: Uint8Array, length: number): Uint8Array {
    return exportSecret(this.suite, this.#state.secrets.exporterSecret, label, context, length);
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

  /** All that is to be stored, ascending by name, with private keys inside. What names mean is this library's affair. */
  parts(): Parts {
    return this.changes() as Parts;
  }

  /**
   * What makes `since.parts()` the parts of this group, ascending by name; without `since` all parts. What both groups
   * share is not encoded: a message costs the same however many members have spoken.
   */
  changes(since?: Group): PartChanges {
    return changedParts(this.#state, since && since.#state);
  }
}
