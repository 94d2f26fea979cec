import { equal } from '../crypto/compare.ts';
import { CryptoError } from '../crypto/errors.ts';
import { setupReceiver } from '../crypto/hpke.ts';
import type { UpdatePath } from './commit.ts';
import { type GroupState, encodedContext, enterEpoch, interimTranscriptHash } from './epoch.ts';
import { MlsError, ensure } from './errors.ts';
import { MEMBER, PRIVATE_MESSAGE } from './framing.ts';
import type { GroupContext } from './groupcontext.ts';
import { checkConfirmationTag } from './joining.ts';
import type { PathSecrets } from './pathsecrets.ts';
import { EXTERNAL_INIT, UPDATE } from './proposal.ts';
import { type ResolvedProposal, ofType } from './proposals.ts';
import { type Psks, findPsks, pskSecret } from './psk.ts';
import { EXTERNAL_INIT_LABEL, externalKeyPair, joinerSecret } from './scheduling.ts';
import { EMPTY, type Suite, opened, zeros } from './suite.ts';
import { confirmedTranscriptHash } from './transcript.ts';
import { resumptionAfter, resumptionPsks, retire } from './transitions.ts';
import { keptKeys, openPath } from './treekem.ts';
import * as math from './treemath.ts';
import type { CommitDetails, VerifiedCommit } from './verifying.ts';

const CONFIRMATION = '12.4.2-confirmation-tag';

/** The init secret that an external committer chose (section 8.3). */
async function externalInitSecret(suite: Suite, externalSecret: Uint8Array, kemOutput: Uint8Array): Promise<Uint8Array> {
  const { kem, hash, aead } = suite;
  const { privateKey } = await externalKeyPair(suite, externalSecret);
  const context = await opened('8.3-kem-output', setupReceiver(kem, aead, privateKey, kemOutput, EMPTY));
  return context.export(EXTERNAL_INIT_LABEL, hash.size);
}

/** Errors of whoever alone cannot follow: all public checks passed, so others went on. */
async function followed<T>(attempt: Promise<T>): Promise<T> {
  return attempt.catch((error: unknown) => {
    if (error instanceof CryptoError) throw new MlsError('5.1.3-decrypt', '', 'path');
    throw error instanceof MlsError ? new MlsError(error.rule, '', 'path') : error;
  });
}

/** The commit was verified in this very epoch of this group. */
function checkBase(context: GroupContext, base: GroupContext): void {
  const same =
    context.epoch === base.epoch &&
    equal(context.groupId, base.groupId) &&
    equal(context.treeHash, base.treeHash) &&
    equal(context.confirmedTranscriptHash, base.confirmedTranscriptHash);
  ensure(same, '12.4.2-other-epoch', 'the commit was verified in another epoch');
}

/** Our private keys once the commit is applied, its path aside; an Update of ours may be in it. */
function ownKeys(
  state: GroupState,
  { tree }: CommitDetails,
  list: readonly ResolvedProposal[],
): GroupState['privateKeys'] {
  const { own } = state;
  const kept = keptKeys(state.tree, tree, own, state.privateKeys);
  const updated = list.some(
    ({ proposal, sender }) => proposal.type === UPDATE && sender.type === MEMBER && sender.leafIndex === own,
  );
  if (!updated) return kept;
  const key = tree.leaf(own)!.encryptionKey;
  const found = state.updates.find((update) => equal(update.encryptionKey, key));
  ensure(found !== undefined, '12.4.2-own-update', 'the private key of our Update is gone', 'path');
  return new Map([...kept, [math.leafNode(own), found.encryptionPrivate]]);
}

function openUpdatePath(
  state: GroupState,
  { tree, applied, provisional }: CommitDetails,
  path: UpdatePath,
  committer: number,
  privateKeys: GroupState['privateKeys'],
): Promise<PathSecrets> {
  const added = new Set(applied.added);
  return openPath(state.suite, tree, committer, path, added, state.own, privateKeys, encodedContext(provisional));
}

/** Enters the epoch that a verified commit starts. @throws MlsError and changes nothing */
export async function applyCommit(
  state: GroupState,
  verified: VerifiedCommit,
  psks: Psks,
  keepPast: boolean,
): Promise<GroupState> {
  const { details, proposals } = verified;
  const { suite, own } = state;
  const { base, content, commit, applied, tree, provisional } = details;
  checkBase(state.context, base);
  ensure(!applied.removed.includes(own), '12.4.2-removed', 'the commit removes this member', 'removed');
  ensure(verified.committerLeafIndex !== own, '12.4.2-own-commit', 'our commits are applied as they were made');
  const pskKeys = findPsks(applied.psks, resumptionPsks(state), psks);
  const keys = ownKeys(state, details, proposals);
  const path =
    commit.path &&
    (await followed(openUpdatePath(state, details, commit.path, verified.committerLeafIndex, keys)));

  const external = ofType(proposals, EXTERNAL_INIT)[0];
  const initSecret = external
    ? await followed(externalInitSecret(suite, state.secrets.externalSecret, external.kemOutput))
    : state.secrets.initSecret;
  const confirmed = confirmedTranscriptHash(suite, state.interimTranscriptHash, content);
  const context: GroupContext = { ...provisional, confirmedTranscriptHash: confirmed };
  const encoded = encodedContext(context);
  const joiner = joinerSecret(suite, initSecret, path?.commitSecret ?? zeros(suite), encoded);
  const entered = enterEpoch(suite, joiner, pskSecret(suite, applied.psks, pskKeys), encoded, tree.size);
  const confirmationTag = content.auth.confirmationTag!;
  const committer = content.wireFormat === PRIVATE_MESSAGE ? verified.committerLeafIndex : null;
  await followed(
    (async () => checkConfirmationTag(suite, entered.secrets.confirmationKey, confirmed, confirmationTag, CONFIRMATION))(),
  );

  return {
    ...entered,
    suite,
    context,
    tree,
    own,
    signaturePrivate: state.signaturePrivate,
    privateKeys: new Map([...keys, ...(path?.privateKeys ?? [])]),
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, confirmationTag),
    confirmationTag,
    pending: [],
    updates: [],
    past: keepPast ? [...state.past, retire(state, tree, committer)] : [],
    resumption: resumptionAfter(state),
    reInit: applied.reInit,
  };
}
