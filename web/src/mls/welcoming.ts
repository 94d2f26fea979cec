import type { Random } from '../crypto/random.ts';
import { encode } from './codec.ts';
import type { NewCommit } from './committing.ts';
import type { GroupState } from './epoch.ts';
import { EXTERNAL_PUB, type Extension, RATCHET_TREE, externalPub, makeExtension } from './extensions.ts';
import { WELCOME, encodeMessage } from './framing.ts';
import { GROUP_INFO_LABEL, type GroupInfo, groupInfo, groupInfoContent } from './groupinfo.ts';
import { keyPackageRef } from './keypackage.ts';
import { ADD } from './proposal.ts';
import { ofType } from './proposals.ts';
import { encryptWithLabel } from './encrypting.ts';
import { welcomeSecret } from './schedule.ts';
import { externalKeyPair } from './scheduling.ts';
import { EMPTY, type Suite, signWithLabel } from './suite.ts';
import * as math from './treemath.ts';
import { type GroupSecrets, type Welcome, groupSecrets, keyAndNonce } from './welcome.ts';

async function signGroupInfo(
  suite: Suite,
  privateKey: Uint8Array,
  value: Omit<GroupInfo, 'signature'>,
): Promise<GroupInfo> {
  return { ...value, signature: await signWithLabel(suite, privateKey, GROUP_INFO_LABEL, encode(groupInfoContent, value)) };
}

/** The epoch described and signed: the tree first, then the external key, then the caller's extensions. */
export async function makeGroupInfo(
  state: GroupState,
  extensions: readonly Extension[],
  include: { readonly tree: boolean; readonly externalPub: boolean },
): Promise<GroupInfo> {
  const { suite, context, confirmationTag, own: signer, signaturePrivate } = state;
  const all: Extension[] = [];
  if (include.tree) all.push({ type: RATCHET_TREE, data: state.tree.encode() });
  if (include.externalPub) {
    const { publicKey } = await externalKeyPair(suite, state.secrets.externalSecret);
    all.push(makeExtension(EXTERNAL_PUB, externalPub, publicKey));
  }
  all.push(...extensions);
  return signGroupInfo(suite, signaturePrivate, { context, extensions: all, confirmationTag, signer });
}

/** Seals an encoded GroupInfo under the welcome secret. */
function sealGroupInfo(suite: Suite, welcomeSecret: Uint8Array, encoded: Uint8Array): Promise<Uint8Array> {
  return suite.aead.seal(...keyAndNonce(suite, welcomeSecret), EMPTY, encoded);
}

/** One Welcome for all that the commit adds, null if it adds nobody. Draws one encapsulation for each Add. */
export async function makeWelcome(
  made: NewCommit,
  extensions: readonly Extension[],
  tree: boolean,
  random: Random,
): Promise<Uint8Array | null> {
  const { state, applied, path, joiner, psk } = made;
  const { suite, own } = state;
  const adds = ofType(made.proposals, ADD);
  if (adds.length === 0) return null;
  const info = encode(groupInfo, await makeGroupInfo(state, extensions, { tree, externalPub: false }));
  const encryptedGroupInfo = await sealGroupInfo(suite, welcomeSecret(suite, joiner, psk), info);
  const secrets = adds.map(async ({ keyPackage }, place) => {
    const node = math.commonAncestor(math.leafNode(own), math.leafNode(applied.added[place]!));
    const pathSecret = path?.pathSecrets.get(node) ?? null;
    const value: GroupSecrets = { joinerSecret: joiner, pathSecret: pathSecret && { pathSecret }, psks: applied.psks };
    const plaintext = encode(groupSecrets, value);
    return {
      newMember: keyPackageRef(suite, keyPackage),
      encryptedGroupSecrets: await encryptWithLabel(
        suite,
        keyPackage.initKey,
        'Welcome',
        encryptedGroupInfo,
        plaintext,
        random,
      ),
    };
  });
  const welcome: Welcome = { cipherSuite: suite.id, secrets: await Promise.all(secrets), encryptedGroupInfo };
  return encodeMessage({ wireFormat: WELCOME, welcome });
}
