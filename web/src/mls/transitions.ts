import { hex } from '../crypto/bytes.ts';
import { type GroupState, type PastEpoch, type Resumption, encodedContext } from './epoch.ts';
import type { Extension } from './extensions.ts';
import type { GroupContext } from './groupcontext.ts';
import type { EpochKeys } from './protect.ts';
import type { Psks } from './psk.ts';
import { withoutHandshake, withoutLeaf } from './ratchets.ts';
import type { Suite } from './suite.ts';
import type { RatchetTree } from './tree.ts';

/** What an epoch's messages are opened with, what is kept of it when it ends, and what the next one is. */

/** Former epochs whose resumption PSK is kept: enough for a re-initialisation to find the epoch that it names. */
const MAX_RESUMPTION_EPOCHS = 8;

/** What messages of the current epoch are opened with. */
export function epochKeys(state: GroupState): EpochKeys {
  const { suite, context, tree, secrets, secretTree } = state;
  return {
    suite,
    context: encodedContext(context),
    extensions: context.extensions,
    leaf: (index) => tree.leaf(index),
    senderDataSecret: secrets.senderDataSecret,
    secretTree,
  };
}

/** What messages of a past epoch are opened with; handshake messages of it are of no use any more. */
export function pastKeys(suite: Suite, past: PastEpoch): EpochKeys {
  const { context, leaves, senderDataSecret, secretTree } = past;
  return { suite, context, extensions: [], leaf: (index) => leaves[index] ?? null, senderDataSecret, secretTree };
}

/** The epoch as it is kept once it is past: our own ratchets and all handshake ratchets are gone. */
export function retire(state: GroupState): PastEpoch {
  return {
    epoch: state.context.epoch,
    context: encodedContext(state.context),
    leaves: state.tree.allLeaves,
    senderDataSecret: state.secrets.senderDataSecret,
    secretTree: withoutHandshake(withoutLeaf(state.secretTree, state.own)),
  };
}

/** The resumption PSKs to keep in the next epoch. */
export function resumptionAfter({ context, secrets, resumption }: GroupState): readonly Resumption[] {
  return [...resumption, { epoch: context.epoch, psk: secrets.resumptionPsk }].slice(-MAX_RESUMPTION_EPOCHS);
}

/** The group's own resumption PSKs, by `pskName`. */
export function resumptionPsks(state: GroupState): Psks {
  const id = hex(state.context.groupId);
  return new Map(resumptionAfter(state).map(({ epoch, psk }) => [`${id}/${epoch}`, psk]));
}

/** The provisional GroupContext: the next epoch's, with the old transcript hash (section 12.4.1). */
export function nextContext(
  context: GroupContext,
  suite: Suite,
  tree: RatchetTree,
  { extensions }: { readonly extensions: readonly Extension[] },
): GroupContext {
  return { ...context, epoch: context.epoch + 1n, treeHash: tree.hash(suite), extensions };
}
