import type { Random } from '../crypto/random.ts';
import { checkMembers, checkOwnCapabilities } from './checks.ts';
import type { Credential } from './credential.ts';
import { type GroupState, interimTranscriptHash, startEpoch } from './epoch.ts';
import type { Extension } from './extensions.ts';
import type { GroupContext } from './groupcontext.ts';
import { type LeafOptions, capabilitiesFor } from './keypackage.ts';
import { FROM_KEY_PACKAGE, type Lifetime, MLS10, signLeaf } from './leaf.ts';
import { fromEpochSecret } from './schedule.ts';
import { EMPTY, type Suite, signaturePublicKey } from './suite.ts';
import { single } from './treechanges.ts';

export interface CreateOptions extends LeafOptions {
  readonly extensions?: readonly Extension[];
  readonly lifetime: Lifetime;
  readonly random: Random;
}

/** A group of one at epoch 0 (RFC 9420, section 11). Draws the leaf's encryption key pair, then the epoch secret. */
export async function found(
  suite: Suite,
  groupId: Uint8Array,
  credential: Credential,
  signaturePrivate: Uint8Array,
  { extensions = [], leafExtensions = [], lifetime, random, ...options }: CreateOptions,
): Promise<GroupState> {
  const capabilities = capabilitiesFor(suite, options.capabilities, [...extensions, ...leafExtensions]);
  const pair = await suite.kem.generate(random);
  const epochSecret = random.bytes(suite.hash.size);
  const content = {
    encryptionKey: pair.publicKey,
    signatureKey: await signaturePublicKey(suite, signaturePrivate),
    credential,
    capabilities,
    source: { type: FROM_KEY_PACKAGE, lifetime },
    extensions: leafExtensions,
  } as const;
  checkOwnCapabilities(suite, content);
  const tree = single(await signLeaf(suite, signaturePrivate, content, null));
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
  return {
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
    resumption: [],
    reInit: null,
  };
}
