import { setupSender } from '../crypto/hpke.ts';
import type { Random } from '../crypto/random.ts';
import { type LeafOptions, capabilitiesFor } from './bundle.ts';
import { checkMembers } from './checks.ts';
import { decode } from './codec.ts';
import { nextContext } from './committing.ts';
import type { Credential } from './credential.ts';
import { type GroupState, encodedContext, enterEpoch } from './epoch.ts';
import { ensure } from './errors.ts';
import { EXTERNAL_PUB, externalPub, findExtension } from './extensions.ts';
import {
  COMMIT,
  type FramedContent,
  GROUP_INFO,
  NEW_MEMBER_COMMIT,
  PUBLIC_MESSAGE,
  encodeMessage,
  mlsMessage,
} from './framing.ts';
import { verifiedTree } from './joining.ts';
import { FROM_UPDATE } from './leaf.ts';
import { BY_VALUE, EXTERNAL_INIT, type Proposal, REMOVE } from './proposal.ts';
import { type ListContext, apply, checkExternalList } from './proposals.ts';
import { protectPublic, signContent } from './protection.ts';
import { pskSecret } from './psk.ts';
import { EXTERNAL_INIT_LABEL, joinerSecret } from './schedule.ts';
import { EMPTY, suiteById } from './suite.ts';
import { confirmedTranscriptHash, interimTranscriptHash } from './transcript.ts';
import { createPath, sealPath } from './treekem.ts';
import * as math from './treemath.ts';

export interface ExternalJoinOptions extends LeafOptions {
  /** The ratchet tree when the GroupInfo does not hold it. */
  readonly tree?: Uint8Array | null;
  /** Our former leaf, to be removed by the same commit. */
  readonly replaces?: number | null;
  readonly authenticatedData?: Uint8Array;
  readonly random: Random;
}

/**
 * Joins by an external commit to a GroupInfo with an external_pub extension (RFC 9420, section 12.4.3.2):
 * [state, the commit]. Draws the encapsulation to the group, then the path. @throws MlsError
 */
export async function joinExternally(
  message: Uint8Array,
  credential: Credential,
  signaturePrivate: Uint8Array,
  options: ExternalJoinOptions,
): Promise<[GroupState, Uint8Array]> {
  const decoded = decode(mlsMessage, message);
  ensure(decoded.wireFormat === GROUP_INFO, '6-wire-format', 'not a GroupInfo', 'malformed');
  const { groupInfo } = decoded;
  const { leafExtensions = [], replaces = null, authenticatedData = EMPTY, random } = options;
  const suite = suiteById(groupInfo.context.cipherSuite);
  const { kem, hash, aead, signature: scheme } = suite;
  const before = await verifiedTree(suite, groupInfo, options.tree ?? null);
  const key = findExtension(groupInfo.extensions, EXTERNAL_PUB, externalPub);
  ensure(key !== null, '12.4.3.2-no-external-pub');
  const [kemOutput, hpke] = await setupSender(kem, hash.kdfId, aead.id, key, EMPTY, random);

  const proposals: Proposal[] = [{ type: EXTERNAL_INIT, kemOutput }];
  if (replaces !== null) proposals.push({ type: REMOVE, removed: replaces });
  const sender = { type: NEW_MEMBER_COMMIT } as const;
  const list = proposals.map((proposal) => ({ proposal, sender, reference: null }));
  const group: ListContext = { suite, tree: before, context: groupInfo.context };
  await checkExternalList(group, list, null);
  const applied = apply(group, list);
  const capabilities = capabilitiesFor(suite, options.capabilities, [...leafExtensions, ...applied.extensions]);
  const signatureKey = await scheme.publicKey(signaturePrivate);
  const leaf = { signatureKey, credential, capabilities, extensions: leafExtensions };
  const placeholder = { ...leaf, encryptionKey: EMPTY, source: { type: FROM_UPDATE }, signature: EMPTY } as const;
  const [grown, own] = applied.tree.add(placeholder);
  const { groupId } = groupInfo.context;
  const path = await createPath(suite, grown, own, groupId, leaf, signaturePrivate, random);
  checkMembers(path.tree, applied.extensions);
  const provisional = nextContext(groupInfo.context, suite, path.tree, applied);
  const updatePath = await sealPath(suite, path, own, new Set(), encodedContext(provisional), random);

  const commit = { proposals: proposals.map((proposal) => ({ kind: BY_VALUE, proposal }) as const), path: updatePath };
  const content: FramedContent = {
    groupId,
    epoch: groupInfo.context.epoch,
    sender,
    authenticatedData,
    content: { type: COMMIT, commit },
  };
  const oldContext = encodedContext(groupInfo.context);
  const signature = await signContent(suite, signaturePrivate, PUBLIC_MESSAGE, content, oldContext);
  const interim = interimTranscriptHash(suite, groupInfo.context.confirmedTranscriptHash, groupInfo.confirmationTag);
  const unconfirmed = { wireFormat: PUBLIC_MESSAGE, content, auth: { signature, confirmationTag: null } } as const;
  const confirmed = confirmedTranscriptHash(suite, interim, unconfirmed);
  const context = { ...provisional, confirmedTranscriptHash: confirmed };
  const initSecret = hpke.export(EXTERNAL_INIT_LABEL, hash.size);
  const joiner = joinerSecret(suite, initSecret, path.commitSecret, encodedContext(context));
  const entered = enterEpoch(suite, joiner, pskSecret(suite, [], []), encodedContext(context), path.tree.size);
  const confirmationTag = hash.mac(entered.secrets.confirmationKey, confirmed);
  const framed = { content, auth: { signature, confirmationTag } };
  const publicMessage = protectPublic(suite, framed, oldContext, EMPTY);
  const state: GroupState = {
    ...entered,
    suite,
    context,
    tree: path.tree,
    own,
    signaturePrivate,
    privateKeys: new Map([...path.privateKeys, [math.leafNode(own), path.leafPrivateKey]]),
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, confirmationTag),
    confirmationTag,
    pending: [],
    updates: [],
    past: [],
    reInit: null,
  };
  return [state, encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage })];
}
