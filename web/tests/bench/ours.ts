import { systemRandom } from '../../src/client/system.ts';
import { applyCommit, commitProposals, forgetEpochsBefore, verifyCommit } from '../../src/mls/changes.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { Group, type KeyPackageBundle, encodeKeyPackage, makeKeyPackage, suiteById } from '../../src/mls/group.ts';
import type { Implementation } from './seat.ts';

const KEPT_EPOCHS = 3;

/** A member that runs the web app's MLS. */
export class Ours implements Implementation {
  #bundle: KeyPackageBundle | null = null;
  #group: Group | null = null;

  get #present(): Group {
    if (this.#group === null) throw new Error('not in a group');
    return this.#group;
  }

  async start(suite: number, identity: Uint8Array, [from, to]: readonly [number, number]): Promise<Uint8Array> {
    this.leave();
    const random = systemRandom;
    const lifetime = { notBefore: BigInt(from), notAfter: BigInt(to) };
    const credential = basicCredential(identity);
    this.#bundle = await makeKeyPackage(suiteById(suite), credential, random.bytes(32), { lifetime, random });
    return encodeKeyPackage(this.#bundle.keyPackage);
  }

  async join(welcome: Uint8Array): Promise<void> {
    const { group } = await Group.join(welcome, [this.#bundle!], { now: Date.now() });
    this.#group = group;
  }

  async commit(): Promise<Uint8Array> {
    const pending = await commitProposals(this.#present, [], { now: Date.now(), random: systemRandom });
    return pending.message;
  }

  async process(message: Uint8Array): Promise<void> {
    const group = this.#present;
    const after = await applyCommit(group, await verifyCommit(group, message, { now: Date.now() }));
    this.#group = forgetEpochsBefore(after, after.epoch - KEPT_EPOCHS);
  }

  async encrypt(data: Uint8Array): Promise<Uint8Array> {
    const [group, message] = await this.#present.encrypt(data, { random: systemRandom });
    this.#group = group;
    return message;
  }

  async decrypt(message: Uint8Array): Promise<Uint8Array> {
    const [group, opened] = await this.#present.decrypt(message);
    this.#group = group;
    return opened.data;
  }

  async exported(): Promise<Uint8Array> {
    return this.#present.export('bench', new Uint8Array(0), 32);
  }

  leave(): void {
    this.#bundle = null;
    this.#group = null;
  }
}
