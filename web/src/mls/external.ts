import { setupSender } from '../crypto/hpke.ts';
import type { Random } from '../crypto/random.ts';
import { checkMembers, checkOwnCapabilities } from './checks.ts';
import { decode } from './codec.ts';
import { BY_VALUE } from './commit.ts';
import { finishCommit } from './committing.ts';
import type { Credential } from './credential.ts';
import { type GroupState, encodedContext, interimTranscriptHash } from './epoch.ts';
import { ensure } from './errors.ts';
import { EXTERNAL_PUB, externalPub, findExtension } from './extensions.ts';
import { COMMIT, GROUP_INFO, NEW_MEMBER_COMMIT, PUBLIC_MESSAGE, encodeMessage, mlsMessage } from './framing.ts';
import { verifiedTree } from './joining.ts';
import { type LeafOptions, capabilitiesFor } from './keypackage.ts';
import { FROM_UPDATE } from './leaf.ts';
import { EXTERNAL_INIT, PSK, type Proposal, REMOVE } from './proposal.ts';
import { type ListContext, type ResolvedProposal, apply, checkExternalList } from './proposals.ts';
import { protectPublic } from './protect.ts';
import { type PskId, type Psks, findPsks, pskSecret } from './psk.ts';
import { EXTERNAL_INIT_LABEL } from './scheduling.ts';
import { EMPTY, opened, signaturePublicKey, suiteById } from './suite.ts';
import { nextContext, nextEpoch } from './transitions.ts';
import { add } from './treechanges.ts';
import { createPath, sealPath } from './treekem.ts';
import * as math from './treemath.ts';

export interface JoinExternalOptions extends LeafOptions {
  /** The ratchet tree when the GroupInfo does not hold it. */
  readonly tree?: Uint8Array | null;
  /** The leaf index of our former self, which the commit removes. */
  readonly resync?: number | null;
  readonly pskIds?: readonly PskId[];
  readonly psks?: Psks;
  /** Seconds, of members' leaves: as in `verifyKeyPackage`. */
  readonly maxLifetime?: number;
  readonly authenticatedData?: Uint8Array;
  readonly random: Random;
}

export interface JoinedExternally {
  readonly message: Uint8Array;
  readonly state: GroupState;
  readonly proposals: readonly ResolvedProposal[];
}

/**
 * Joins by an external commit to a GroupInfo with an external key (RFC 9420, section 12.4.3.2). Draws the encapsulation
 * to that key, then the path. @throws MlsError
 */
export async function joinExternal(
  groupInfoMessage: Uint8Array,
  credential: Credential,
  signaturePrivate: Uint8Array,
  options: JoinExternalOptions,
): Promise<JoinedExternally> {
  const decoded = decode(mlsMessage, groupInfoMessage);
  ensure(decoded.wireFormat === GROUP_INFO, '12.4.3.2-not-a-group-info');
  const { groupInfo } = decoded;
  const { context } = groupInfo;
  const { leafExtensions = [], resync = null, pskIds = [], psks = new Map(), random } = options;
  const suite = suiteById(context.cipherSuite);
  const before = await verifiedTree(suite, groupInfo, options.tree ?? null, options.maxLifetime);
  nextEpoch(context);
  const key = findExtension(groupInfo.extensions, EXTERNAL_PUB, externalPub);
  ensure(key !== null, '12.4.3.2-no-external-pub');
  const { kem, hash, aead } = suite;
  const [kemOutput, hpke] = await opened('8.3-public-key', setupSender(kem, aead, key, EMPTY, random));

  const proposals: Proposal[] = [{ type: EXTERNAL_INIT, kemOutput }];
  if (resync !== null) proposals.push({ type: REMOVE, removed: resync });
  for (const psk of pskIds) proposals.push({ type: PSK, psk });
  const sender = { type: NEW_MEMBER_COMMIT } as const;
  const list = proposals.map((proposal) => ({ proposal, sender, reference: null }));
  const group: ListContext = { suite, tree: before, context };
  await checkExternalList(group, list);
  const applied = apply(group, list);
  const psk = pskSecret(suite, applied.psks, findPsks(applied.psks, psks));

  const leaf = {
    signatureKey: await signaturePublicKey(suite, signaturePrivate),
    credential,
    capabilities: options.capabilities ?? capabilitiesFor(suite, null, [...context.extensions, ...leafExtensions]),
    extensions: leafExtensions,
  };
  checkOwnCapabilities(suite, leaf);
  const placeholder = { ...leaf, encryptionKey: EMPTY, source: { type: FROM_UPDATE }, signature: EMPTY } as const;
  const [grown, own] = add(applied.tree, placeholder);
  const path = await createPath(suite, grown, own, context.groupId, leaf, signaturePrivate, random);
  checkMembers(path.tree, applied.extensions);
  const provisional = nextContext(context, suite, path.tree, applied);
  const sealed = await sealPath(suite, path, own, new Set(), encodedContext(provisional), random);
  const commit = { proposals: proposals.map((proposal) => ({ kind: BY_VALUE, proposal }) as const), path: sealed };
  const { framed, joiner: _joiner, ...entered } = await finishCommit(
    {
      suite,
      interimTranscriptHash: interimTranscriptHash(suite, context.confirmedTranscriptHash, groupInfo.confirmationTag),
      context,
      provisional,
      initSecret: hpke.export(EXTERNAL_INIT_LABEL, hash.size),
      commitSecret: path.commitSecret,
      psk,
      signaturePrivate,
      size: path.tree.size,
    },
    PUBLIC_MESSAGE,
    {
      groupId: context.groupId,
      epoch: context.epoch,
      sender,
      authenticatedData: options.authenticatedData ?? EMPTY,
      content: { type: COMMIT, commit },
    },
  );
  const publicMessage = protectPublic(suite, framed, EMPTY, EMPTY);
  const state: GroupState = {
    ...entered,
    suite,
    tree: path.tree,
    own,
    signaturePrivate,
    privateKeys: new Map([...path.privateKeys, [math.leafNode(own), path.leafPrivateKey]]),
    pending: [],
    updates: [],
    past: [],
    resumption: [],
    reInit: null,
  };
  return { message: encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage }), state, proposals: list };
}
