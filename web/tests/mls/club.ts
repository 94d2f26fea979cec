import { expect } from 'vitest';
import { hex, utf8 } from '../../src/crypto/bytes.ts';
import {
  type GroupCommitOptions,
  PendingCommit,
  applyCommit,
  commitProposals,
  createGroup,
  following,
  mergeCommit,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import type { Extension } from '../../src/mls/extensions.ts';
import { Group, KeyPackageBundle, SUITE_X25519, makeKeyPackage } from '../../src/mls/group.ts';
import type { LeafOptions } from '../../src/mls/keypackage.ts';
import type { Capabilities } from '../../src/mls/leaf.ts';
import { ADD, type Proposal, REMOVE } from '../../src/mls/proposal.ts';
import type { Suite } from '../../src/mls/suite.ts';
import { SeededRandom } from '../support/seeded.ts';

export const NOW = 1_800_000_000_000;
export const LIFETIME = { notBefore: 1_799_000_000n, notAfter: 1_801_000_000n };
export const GROUP_ID = utf8('group');

export function bundleFor(
  name: string,
  random: SeededRandom,
  options: LeafOptions & { lastResort?: boolean; suite?: Suite } = {},
): Promise<KeyPackageBundle> {
  const { suite = SUITE_X25519, ...rest } = options;
  return makeKeyPackage(suite, basicCredential(utf8(name)), random.bytes(32), { lifetime: LIFETIME, random, ...rest });
}

export const capabilities = (extensions: readonly number[], credentials: readonly number[] = [1]): Capabilities => ({
  versions: [1],
  cipherSuites: [SUITE_X25519.id, 0xf001],
  extensions,
  proposals: [],
  credentials,
});

export interface ClubOptions {
  readonly suite?: Suite;
  readonly extensions?: readonly Extension[];
  readonly capabilities?: Capabilities;
  readonly treeInWelcome?: boolean;
}

/** Several members of one group in one process, who all see all commits. */
export class Club {
  readonly random: SeededRandom;
  readonly groups = new Map<string, Group>();
  readonly #options: ClubOptions;

  private constructor(random: SeededRandom, options: ClubOptions) {
    this.random = random;
    this.#options = options;
  }

  static async found(founder: string, seed: number | string, options: ClubOptions = {}): Promise<Club> {
    const club = new Club(new SeededRandom(seed), options);
    const { suite = SUITE_X25519, extensions = [], capabilities: given = null } = options;
    const group = await createGroup(suite, GROUP_ID, basicCredential(utf8(founder)), club.random.bytes(32), {
      extensions,
      capabilities: given,
      lifetime: LIFETIME,
      random: club.random,
    });
    club.groups.set(founder, group);
    return club;
  }

  static async of(names: readonly string[], seed: number | string, options: ClubOptions = {}): Promise<Club> {
    const club = await Club.found(names[0]!, seed, options);
    if (names.length > 1) await club.add(names[0]!, ...names.slice(1));
    return club;
  }

  get(name: string): Group {
    return this.groups.get(name)!;
  }

  get names(): string[] {
    return [...this.groups.keys()];
  }

  set(name: string, group: Group): void {
    this.groups.set(name, group);
  }

  bundle(name: string): Promise<KeyPackageBundle> {
    const { suite = SUITE_X25519, capabilities: given = null } = this.#options;
    return bundleFor(name, this.random, { suite, capabilities: given });
  }

  commitOptions(more: Partial<GroupCommitOptions> = {}): GroupCommitOptions {
    return { now: NOW, random: this.random, treeInWelcome: this.#options.treeInWelcome !== false, ...more };
  }

  /** Everybody else applies the commit, its maker merges it, those added join. */
  async accept(
    by: string,
    pending: PendingCommit,
    joiners: ReadonlyMap<string, KeyPackageBundle> = new Map(),
    psks: ReadonlyMap<string, Uint8Array> = new Map(),
    former: Group | null = null,
  ): Promise<void> {
    const removed: string[] = [];
    const before = new Map(this.groups);
    for (const [name, group] of before) {
      if (name === by) {
        this.set(name, mergeCommit(group, PendingCommit.decode(pending.encode())));
        continue;
      }
      const verified = await verifyCommit(group, pending.message, { now: NOW });
      if (verified.removes.some(({ leafIndex }) => leafIndex === group.ownLeafIndex)) {
        await expect(applyCommit(group, verified, { psks })).rejects.toMatchObject({ code: 'removed' });
        removed.push(name);
        continue;
      }
      this.set(name, await applyCommit(group, verified, { psks }));
    }
    for (const name of removed) this.groups.delete(name);
    for (const [name, bundle] of joiners) {
      const tree = this.#options.treeInWelcome === false ? pending.tree : null;
      const joined = await Group.join(pending.welcome!, [bundle], { tree, psks, now: NOW, ...(former && { former: following(former) }) });
      expect(joined.signerLeafIndex).toBe(this.get(by).ownLeafIndex);
      expect(joined.expired).toEqual([]);
      this.set(name, joined.group);
    }
    this.agree();
  }

  async commit(by: string, proposals: readonly Proposal[], more: Partial<GroupCommitOptions> = {}): Promise<PendingCommit> {
    const pending = await commitProposals(this.get(by), proposals, this.commitOptions(more));
    await this.accept(by, pending, new Map(), more.psks);
    return pending;
  }

  async add(by: string, ...names: string[]): Promise<PendingCommit> {
    const joiners = new Map<string, KeyPackageBundle>();
    for (const name of names) joiners.set(name, await this.bundle(name));
    const proposals = [...joiners.values()].map(({ keyPackage }) => ({ type: ADD, keyPackage }) as const);
    const pending = await commitProposals(this.get(by), proposals, this.commitOptions());
    await this.accept(by, pending, joiners);
    return pending;
  }

  remove(by: string, ...names: string[]): Promise<PendingCommit> {
    return this.commit(by, names.map((name) => ({ type: REMOVE, removed: this.get(name).ownLeafIndex })));
  }

  /** All hold the same epoch. */
  agree(): void {
    const views = [...this.groups.values()].map((group) => ({
      epoch: group.epoch,
      tree: hex(group.treeHash),
      transcript: hex(group.confirmedTranscriptHash),
      authenticator: hex(group.epochAuthenticator),
      exported: hex(group.export('test', utf8('context'), 32)),
      members: group.members().map((member) => member.leafIndex),
    }));
    for (const view of views) expect(view).toEqual(views[0]);
    const indices = [...this.groups.values()].map((group) => group.ownLeafIndex);
    expect(indices.sort((a, b) => a - b)).toEqual(views[0]!.members);
  }

  /** One sends, all others open. */
  async say(by: string, text: string): Promise<Uint8Array> {
    const [group, message] = await this.get(by).encrypt(utf8(text), {
      authenticatedData: utf8('outside'),
      padding: this.random.below(40),
      random: this.random,
    });
    this.set(by, group);
    for (const [name, other] of [...this.groups]) {
      if (name === by) continue;
      const [next, opened] = await other.decrypt(message);
      this.set(name, next);
      expect(opened.data).toEqual(utf8(text));
      expect(opened.authenticatedData).toEqual(utf8('outside'));
      expect(opened.senderLeafIndex).toBe(group.ownLeafIndex);
      expect(opened.sender.credential).toEqual(basicCredential(utf8(by)));
      expect(opened.epoch).toBe(group.epoch);
    }
    return message;
  }
}
