import { equal } from '../crypto/compare.ts';
import type { KeyPackageBundle } from './keypackage.ts';
import { checkTree, isCurrent } from './checks.ts';
import { decode } from './codec.ts';
import { type GroupState, encodedContext, enterEpoch, interimTranscriptHash } from './epoch.ts';
import { ensure } from './errors.ts';
import { type Extension, RATCHET_TREE } from './extensions.ts';
import { type GroupInfo, groupInfo, verifyGroupInfoSignature } from './groupinfo.ts';
import type { GroupContext } from './groupcontext.ts';
import { sameLeaf } from './leaf.ts';
import { type PrivateKeys, secretsAbove } from './pathsecrets.ts';
import { FOR_APPLICATION, type PskId, type Psks, RESUMPTION_PSK, type ResumptionPskId, findPsks, pskSecret } from './psk.ts';
import { welcomeSecret } from './schedule.ts';
import { type Suite, decryptWithLabel, opened, signaturePublicKey, suiteById, verifyMac } from './suite.ts';
import { RatchetTree, memberLeaf } from './tree.ts';
import * as math from './treemath.ts';
import { type GroupSecrets, decodeWelcome, groupSecrets, openGroupInfo } from './welcome.ts';

export interface JoinOptions {
  /** The ratchet tree when the Welcome does not hold it. */
  readonly tree?: Uint8Array | null;
  readonly psks?: Psks;
  /** Seconds, of members' leaves: as in `verifyKeyPackage`. */
  readonly maxLifetime?: number | undefined;
  /** For a group that was re-initialised or branched: `following` the one before, of `succession`. */
  readonly former?: Succession;
}

/** Holds a group against the one that it follows by `link`. @throws MlsError */
export type Succession = (link: ResumptionPskId, context: GroupContext, tree: RatchetTree) => void;

export interface JoinedState {
  readonly state: GroupState;
  readonly bundle: KeyPackageBundle;
  readonly groupInfo: GroupInfo;
  readonly psks: readonly PskId[];
}

/** A GroupInfo counts only with a signature of the leaf that it names, in the tree that it describes. */
export async function checkGroupInfoSigner(suite: Suite, tree: RatchetTree, info: GroupInfo): Promise<void> {
  const signer = memberLeaf(tree, info.signer, '12.4.3-signer');
  ensure(await verifyGroupInfoSignature(suite, signer.signatureKey, info), '12.4.3-signature');
}

/** The tree of a GroupInfo, from its extension or from outside, fully verified. @throws MlsError */
export async function verifiedTree(
  suite: Suite,
  info: GroupInfo,
  outside: Uint8Array | null,
  maxLifetime: number | undefined,
): Promise<RatchetTree> {
  const data = info.extensions.find((extension) => extension.type === RATCHET_TREE)?.data ?? outside;
  ensure(data !== null, '12.4.3.1-no-tree');
  const tree = RatchetTree.decode(data);
  ensure(equal(tree.hash(suite), info.context.treeHash), '12.4.3.1-tree-hash');
  await checkGroupInfoSigner(suite, tree, info);
  await checkTree(suite, tree, info.context.groupId, info.context.extensions, maxLifetime);
  return tree;
}

/**
 * A PSK for re-initialising or branching is the only one of its kind, and leads into epoch 1 (section 12.4.3.1) of a
 * group that is held against the one before.
 */
function checkResumption(
  ids: readonly PskId[],
  context: GroupContext,
  tree: RatchetTree,
  former: Succession | undefined,
): void {
  const special = ids.filter((id) => id.type === RESUMPTION_PSK && id.usage !== FOR_APPLICATION);
  ensure(special.length <= 1, '12.4.3.1-resumption');
  ensure(special.length === 0 || context.epoch === 1n, '12.4.3.1-resumption-epoch');
  for (const link of special as readonly ResumptionPskId[]) {
    ensure(former !== undefined, '12.4.3.1-former-group', 'join with the group that this one follows');
    former(link, context, tree);
  }
}

/** The bundle's private signature key is its key package's. */
async function checkOwnSignatureKey(suite: Suite, bundle: KeyPackageBundle): Promise<void> {
  const own = await signaturePublicKey(suite, bundle.signaturePrivate);
  ensure(equal(own, bundle.keyPackage.leafNode.signatureKey), '12.4.3.1-own-signature-key');
}

/** The private keys that a joiner's path secret gives, from the node it shares with the committer up. */
async function pathKeys(
  suite: Suite,
  tree: RatchetTree,
  own: number,
  signer: number,
  secrets: GroupSecrets,
): Promise<PrivateKeys> {
  if (secrets.pathSecret === null) return new Map();
  const shared = math.commonAncestor(math.leafNode(own), math.leafNode(signer));
  const steps = tree.filteredDirectPath(signer);
  const place = steps.findIndex((step) => step.node === shared);
  ensure(place >= 0, '12.4.3.1-path-secret');
  const rest = steps.slice(place);
  ensure(rest.every((step) => !tree.isBlank(step.node)), '12.4.3.1-path-secret');
  return (await secretsAbove(suite, tree, secrets.pathSecret.pathSecret, rest)).privateKeys;
}

const CONFIRMATION = '12.4.3.1-confirmation-tag';

/** Joins by a Welcome (section 12.4.3.1). @throws MlsError */
export async function join(
  message: Uint8Array,
  bundles: readonly KeyPackageBundle[],
  { tree: outside = null, psks = new Map(), maxLifetime, former }: JoinOptions,
): Promise<JoinedState> {
  const { cipherSuite, secrets: all, encryptedGroupInfo } = decodeWelcome(message);
  const suite = suiteById(cipherSuite);
  const usable = bundles.filter((bundle) => bundle.keyPackage.cipherSuite === cipherSuite);
  const match = usable
    .map((bundle) => ({ bundle, entry: all.find((entry) => equal(entry.newMember, bundle.reference)) }))
    .find(({ entry }) => entry !== undefined);
  ensure(match?.entry !== undefined, '12.4.3.1-no-key-package', 'the Welcome is for other key packages');
  const { bundle, entry } = match;

  const sealed = entry.encryptedGroupSecrets;
  const plain = await opened(
    '5.1.3-decrypt',
    decryptWithLabel(suite, bundle.initPrivate, 'Welcome', encryptedGroupInfo, sealed),
  );
  const secrets = decode(groupSecrets, plain);
  const psk = pskSecret(suite, secrets.psks, findPsks(secrets.psks, psks));
  const encodedInfo = await opened(
    '12.4.3.1-group-info',
    openGroupInfo(suite, welcomeSecret(suite, secrets.joinerSecret, psk), encryptedGroupInfo),
  );
  const info = decode(groupInfo, encodedInfo);
  const { context } = info;
  ensure(context.cipherSuite === cipherSuite, '12.4.3.1-suite');
  const tree = await verifiedTree(suite, info, outside, maxLifetime);
  checkResumption(secrets.psks, context, tree, former);

  const leaf = [...tree.leaves()].find(([, candidate]) => sameLeaf(candidate, bundle.keyPackage.leafNode));
  ensure(leaf !== undefined, '12.4.3.1-own-leaf');
  const [own] = leaf;
  await checkOwnSignatureKey(suite, bundle);
  const keys = await pathKeys(suite, tree, own, info.signer, secrets);
  const entered = enterEpoch(suite, secrets.joinerSecret, psk, encodedContext(context), tree.size);
  checkConfirmationTag(suite, entered.secrets.confirmationKey, context.confirmedTranscriptHash, info.confirmationTag, CONFIRMATION);
  const state: GroupState = {
    ...entered,
    suite,
    context,
    tree,
    own,
    signaturePrivate: bundle.signaturePrivate,
    privateKeys: new Map([...keys, [math.leafNode(own), bundle.encryptionPrivate]]),
    interimTranscriptHash: interimTranscriptHash(suite, context.confirmedTranscriptHash, info.confirmationTag),
    confirmationTag: info.confirmationTag,
    pending: [],
    updates: [],
    past: [],
    resumption: [],
    reInit: null,
  };
  return { state, bundle, groupInfo: info, psks: secrets.psks };
}

/** The tag proves that the key schedule arrived where the committer's did (section 6.1). */
export function checkConfirmationTag(
  suite: Suite,
  confirmationKey: Uint8Array,
  confirmedTranscriptHash: Uint8Array,
  tag: Uint8Array,
  rule: string,
): void {
  ensure(verifyMac(suite, confirmationKey, confirmedTranscriptHash, tag), rule);
}

/** Members whose key package is not valid at `now` (ms). Old members' may have run out: this refuses nobody. */
export function expiredLeaves(tree: RatchetTree, now: number): readonly number[] {
  return [...tree.leaves()].filter(([, leaf]) => !isCurrent(leaf, now)).map(([index]) => index);
}

/** What the GroupInfo says beside the tree. */
export function otherExtensions(info: GroupInfo): readonly Extension[] {
  return info.extensions.filter((extension) => extension.type !== RATCHET_TREE);
}
