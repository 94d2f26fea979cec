import { hex } from '../crypto/bytes.ts';
import { equal } from '../crypto/compare.ts';
import { MAX_LIFETIME, checkLifetimeSpan, isCurrent } from './checks.ts';
import { encode } from './codec.ts';
import { BY_VALUE, type ProposalOrRef } from './commit.ts';
import { ensure } from './errors.ts';
import {
  EXTERNAL_SENDERS,
  type Extension,
  REQUIRED_CAPABILITIES,
  externalSenders,
  findExtension,
  requiredCapabilities,
} from './extensions.ts';
import { type AuthenticatedContent, EXTERNAL, MEMBER, type Sender, authenticatedContent } from './framing.ts';
import type { GroupContext } from './groupcontext.ts';
import { checkKeyPackage, checkLifetime } from './keypackagechecks.ts';
import { MLS10 } from './leaf.ts';
import { checkUpdateLeaf } from './leafchecks.ts';
import {
  ADD,
  EXTERNAL_INIT,
  GROUP_CONTEXT_EXTENSIONS,
  PSK,
  type Proposal,
  REINIT,
  REMOVE,
  type ReInit,
  type ResolvedProposal,
  UPDATE,
} from './proposal.ts';
import { FOR_APPLICATION, type PskId, RESUMPTION_PSK, pskId } from './psk.ts';
import { type Suite, refHash } from './suite.ts';
import { type RatchetTree, memberLeaf } from './tree.ts';
import { add, remove, update } from './treechanges.ts';

export type { ResolvedProposal };

/** ProposalRef (RFC 9420, section 5.2). */
export function proposalRef(suite: Suite, content: AuthenticatedContent): Uint8Array {
  return refHash(suite, 'MLS 1.0 Proposal Reference', encode(authenticatedContent, content));
}

/** Looks up what a commit refers to. @throws MlsError code `unknown-proposal` */
export function resolve(
  list: readonly ProposalOrRef[],
  pending: readonly ResolvedProposal[],
  committer: Sender,
): ResolvedProposal[] {
  return list.map((item) => {
    if (item.kind === BY_VALUE) return { proposal: item.proposal, sender: committer, reference: null };
    const found = pending.find(({ reference }) => reference !== null && equal(reference, item.reference));
    ensure(found !== undefined, '12.4-unknown-proposal', hex(item.reference), 'unknown-proposal');
    return found;
  });
}

type Typed<T extends Proposal['type']> = Extract<Proposal, { readonly type: T }>;

/** The proposals of one type, in order. */
export function ofType<T extends Proposal['type']>(list: readonly ResolvedProposal[], type: T): Typed<T>[] {
  return list.map((item) => item.proposal).filter((item): item is Typed<T> => item.type === type);
}

/** What senders outside the group may propose (section 12.1.8). */
export function checkProposer({ proposal, sender }: ResolvedProposal): void {
  const external: readonly number[] = [ADD, REMOVE, PSK, REINIT, GROUP_CONTEXT_EXTENSIONS];
  if (sender.type === EXTERNAL) ensure(external.includes(proposal.type), '12.1.8-external-type');
}

/**
 * A PSK's nonce is as long as a secret (section 12.1.4); a resumption PSK for re-initialising or branching belongs to
 * the first commit of a new group.
 */
function checkPsk(suite: Suite, psk: PskId, founding: boolean): void {
  ensure(psk.nonce.length === suite.hash.size, '12.1.4-nonce');
  ensure(psk.type !== RESUMPTION_PSK || psk.usage === FOR_APPLICATION || founding, '12.1.4-usage');
}

/** Extensions that MLS itself reads are readable. */
function checkContextExtensions(list: readonly Extension[]): void {
  findExtension(list, REQUIRED_CAPABILITIES, requiredCapabilities);
  findExtension(list, EXTERNAL_SENDERS, externalSenders);
}

export interface ListContext {
  readonly suite: Suite;
  readonly tree: RatchetTree;
  readonly context: GroupContext;
  /** Seconds, of key packages that are added. */
  readonly maxLifetime?: number | undefined;
}

/** One proposal by itself (section 12.1). `now` in milliseconds; null leaves lifetimes unjudged. @throws MlsError */
export async function checkProposal(
  { suite, tree, context, maxLifetime = MAX_LIFETIME }: ListContext,
  item: ResolvedProposal,
  now: number | null,
): Promise<void> {
  checkProposer(item);
  const { proposal, sender } = item;
  switch (proposal.type) {
    case ADD:
      await checkKeyPackage(suite, proposal.keyPackage);
      checkLifetimeSpan(proposal.keyPackage.leafNode, maxLifetime);
      if (now !== null) checkLifetime(proposal.keyPackage.leafNode, now);
      return;
    case UPDATE: {
      const leafIndex = sender.type === MEMBER ? sender.leafIndex : tree.size;
      const old = memberLeaf(tree, leafIndex, '12.1.2-sender');
      const place = { groupId: context.groupId, leafIndex };
      return checkUpdateLeaf(suite, proposal.leafNode, old, place);
    }
    case REMOVE:
      memberLeaf(tree, proposal.removed, '12.1.3-blank');
      return;
    case PSK:
      return checkPsk(suite, proposal.psk, context.epoch === 0n);
    case REINIT:
      ensure(proposal.version >= MLS10, '12.1.5-version');
      return;
    case GROUP_CONTEXT_EXTENSIONS:
      return checkContextExtensions(proposal.extensions);
  }
}

/** No leaf is updated or removed twice (section 12.2). */
function checkOncePerLeaf(list: readonly ResolvedProposal[]): void {
  const leaves = list.flatMap(({ proposal, sender }) => {
    if (proposal.type === REMOVE) return [proposal.removed];
    return proposal.type === UPDATE && sender.type === MEMBER ? [sender.leafIndex] : [];
  });
  ensure(new Set(leaves).size === leaves.length, '12.2-same-leaf');
}

/** No client is added twice (section 12.2): the same signature key, which a same key package has too. */
function checkDistinctAdds(list: readonly ResolvedProposal[]): void {
  const keys = ofType(list, ADD).map(({ keyPackage }) => hex(keyPackage.leafNode.signatureKey));
  ensure(new Set(keys).size === keys.length, '12.2-same-client');
}

/** No PSK is injected twice (section 12.2). */
function checkDistinctPsks(list: readonly ResolvedProposal[]): void {
  const ids = ofType(list, PSK).map(({ psk }) => hex(encode(pskId, psk)));
  ensure(new Set(ids).size === ids.length, '12.2-same-psk');
}

/** A member neither updates nor removes itself in its own commit (section 12.2). */
function checkNotCommitter(list: readonly ResolvedProposal[], committer: number): void {
  for (const { proposal, sender } of list) {
    const own = sender.type === MEMBER && sender.leafIndex === committer;
    ensure(!(proposal.type === UPDATE && own), '12.2-committer');
    ensure(!(proposal.type === REMOVE && proposal.removed === committer), '12.2-committer');
  }
}

/** Each by itself, at once; the first in the list that fails is the one that is told. */
async function checkEach(group: ListContext, list: readonly ResolvedProposal[], now: number | null): Promise<void> {
  const results = await Promise.allSettled(list.map((item) => checkProposal(group, item, now)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** The list of a member's commit (section 12.2). @throws MlsError */
export async function checkList(
  group: ListContext,
  list: readonly ResolvedProposal[],
  committer: number,
  now: number,
): Promise<void> {
  await checkEach(group, list, now);
  checkNotCommitter(list, committer);
  checkOncePerLeaf(list);
  ensure(ofType(list, EXTERNAL_INIT).length === 0, '12.2-external-init');
  ensure(ofType(list, REINIT).length === 0 || list.length === 1, '12.2-reinit-alone');
  checkDistinctAdds(list);
  checkDistinctPsks(list);
  ensure(ofType(list, GROUP_CONTEXT_EXTENSIONS).length <= 1, '12.2-context-extensions');
}

/** The list of an external commit (section 12.2). @throws MlsError */
export async function checkExternalList(
  group: ListContext,
  list: readonly ResolvedProposal[],
): Promise<void> {
  const allowed: readonly number[] = [EXTERNAL_INIT, REMOVE, PSK];
  await checkEach(group, list, null);
  ensure(list.every(({ reference }) => reference === null), '12.4.3.2-by-reference');
  ensure(list.every(({ proposal }) => allowed.includes(proposal.type)), '12.2-external-commit');
  ensure(ofType(list, EXTERNAL_INIT).length === 1, '12.2-external-commit');
  ensure(ofType(list, REMOVE).length <= 1, '12.2-external-commit');
  checkDistinctPsks(list);
}

/** The leaf that a Remove or Update is about. */
function leafOf({ proposal, sender }: ResolvedProposal): number | null {
  if (proposal.type === REMOVE) return proposal.removed;
  return proposal.type === UPDATE && sender.type === MEMBER ? sender.leafIndex : null;
}

/**
 * The pending proposals that the member at leaf `own` can commit together (section 12.2). A Remove wins over Updates
 * of its leaf, a later Update over an earlier; of several changes of the extensions the first stays, and none beside
 * one by value; an Add of a client that is there already, whose key package has run out or that is added twice is left
 * out; a ReInit is left out where there is anything else.
 */
export function choosePending(
  pending: readonly ResolvedProposal[],
  own: number,
  tree: RatchetTree,
  byValue: readonly ResolvedProposal[],
  now: number,
): ResolvedProposal[] {
  if (pending.length === 0) return [];
  const taken = new Set(byValue.map(leafOf));
  const removed = new Set(ofType(pending, REMOVE).map((proposal) => proposal.removed));
  const lastUpdate = new Map(pending.filter(({ proposal }) => proposal.type === UPDATE).map((item) => [leafOf(item), item]));
  const stays = [...tree.leaves()].filter(([index]) => !taken.has(index) && (index === own || !removed.has(index)));
  const clients = new Set(stays.map(([, leaf]) => hex(leaf.signatureKey)));
  for (const { keyPackage } of ofType(byValue, ADD)) clients.add(hex(keyPackage.leafNode.signatureKey));
  let contextChanged = ofType(byValue, GROUP_CONTEXT_EXTENSIONS).length > 0;
  const psks = new Set(ofType(byValue, PSK).map(({ psk }) => hex(encode(pskId, psk))));
  const first = (set: Set<string>, name: string): boolean => !set.has(name) && set.add(name).has(name);
  return pending.filter((item) => {
    const { proposal } = item;
    const leaf = leafOf(item);
    switch (proposal.type) {
      case REMOVE:
        return leaf !== own && !taken.has(leaf) && taken.add(leaf).has(leaf);
      case UPDATE:
        return leaf !== own && !taken.has(leaf) && !removed.has(leaf!) && lastUpdate.get(leaf) === item;
      case ADD: {
        const { leafNode } = proposal.keyPackage;
        return isCurrent(leafNode, now) && first(clients, hex(leafNode.signatureKey));
      }
      case GROUP_CONTEXT_EXTENSIONS: {
        const only = !contextChanged;
        contextChanged = true;
        return only;
      }
      case PSK:
        return first(psks, hex(encode(pskId, proposal.psk)));
      case REINIT:
        return byValue.length === 0 && pending.length === 1;
      default:
        return false;
    }
  });
}

/** A commit has a path unless all it does is add, inject PSKs or reinitialise (section 12.4). */
export function pathRequired(list: readonly ResolvedProposal[]): boolean {
  const optional: readonly number[] = [ADD, PSK, REINIT];
  return list.length === 0 || list.some(({ proposal }) => !optional.includes(proposal.type));
}

export interface Applied {
  readonly tree: RatchetTree;
  readonly extensions: readonly Extension[];
  /** The leaves of those added, in the order of the Adds. */
  readonly added: readonly number[];
  readonly removed: readonly number[];
  readonly psks: readonly PskId[];
  readonly reInit: ReInit | null;
}

/** Applies a valid list in the order of section 12.3. */
export function apply({ suite, tree, context }: ListContext, list: readonly ResolvedProposal[]): Applied {
  // All hashes are there before other trees take them over: those of what does not change are computed once.
  tree.hash(suite);
  let next = tree;
  for (const { proposal, sender } of list) {
    if (proposal.type === UPDATE && sender.type === MEMBER) next = update(next, sender.leafIndex, proposal.leafNode);
  }
  const removed = ofType(list, REMOVE).map((proposal) => proposal.removed);
  if (removed.length > 0) next = remove(next, removed);
  const added: number[] = [];
  for (const { keyPackage } of ofType(list, ADD)) {
    const [grown, index] = add(next, keyPackage.leafNode);
    next = grown;
    added.push(index);
  }
  return {
    tree: next,
    extensions: ofType(list, GROUP_CONTEXT_EXTENSIONS)[0]?.extensions ?? context.extensions,
    added,
    removed,
    psks: ofType(list, PSK).map(({ psk }) => psk),
    reInit: ofType(list, REINIT)[0] ?? null,
  };
}
