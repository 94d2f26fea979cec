import { ensure } from './errors.ts';
import { EMPTY, type Suite, deriveTreeSecret, expandWithLabel } from './suite.ts';
import * as math from './treemath.ts';

/**
 * How far ahead of the newest generation seen a message may be: 1,000 steps of three small HMACs cost a receiver about
 * 20 ms, and nobody sends more between two epochs without one of them arriving.
 */
export const MAX_AHEAD = 1000;
/** Keys of generations passed over, per ratchet: 256 of about 60 bytes, 15 KB; the oldest go first. */
export const MAX_SKIPPED = 256;

export interface MessageKey {
  readonly generation: number;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

/** One sender ratchet: the secret of the next generation, and the keys passed over and not yet used. */
export interface Ratchet {
  readonly generation: number;
  readonly secret: Uint8Array;
  readonly skipped: readonly MessageKey[];
}

/** Those of one leaf; null is one that was dropped. */
export interface Ratchets {
  readonly handshake: Ratchet | null;
  readonly application: Ratchet | null;
}

export type RatchetName = keyof Ratchets;

function messageKey(suite: Suite, { generation, secret }: Ratchet): MessageKey {
  return {
    generation,
    key: deriveTreeSecret(suite, secret, 'key', generation, suite.aead.keySize),
    nonce: deriveTreeSecret(suite, secret, 'nonce', generation, suite.aead.nonceSize),
  };
}

function nextSecret(suite: Suite, { generation, secret }: Ratchet): Uint8Array {
  return deriveTreeSecret(suite, secret, 'secret', generation, suite.hash.size);
}

/** The key of one generation, and the ratchet without it: what is consumed is gone. @throws MlsError */
function turn(suite: Suite, ratchet: Ratchet, generation: number): [MessageKey, Ratchet] {
  if (generation < ratchet.generation) {
    const found = ratchet.skipped.find((key) => key.generation === generation);
    ensure(found !== undefined, '9.2-consumed', `generation ${generation}`, 'replayed');
    return [found, { ...ratchet, skipped: ratchet.skipped.filter((key) => key !== found) }];
  }
  checkAhead(ratchet, generation);
  const skipped = ratchet.skipped.slice();
  let current = ratchet;
  while (current.generation < generation) {
    if (generation - current.generation <= MAX_SKIPPED) skipped.push(messageKey(suite, current));
    current = { generation: current.generation + 1, secret: nextSecret(suite, current), skipped: [] };
  }
  const key = messageKey(suite, current);
  const next = { generation: generation + 1, secret: nextSecret(suite, current), skipped: skipped.slice(-MAX_SKIPPED) };
  return [key, next];
}

/** Generations far ahead cost work that a forger could ask for. */
export function checkAhead(ratchet: Ratchet, generation: number): void {
  ensure(generation - ratchet.generation <= MAX_AHEAD, '9.1-too-far-ahead', `generation ${generation}`, 'replayed');
}

/** The secret tree of one epoch (RFC 9420, section 9), immutable and lazy: only what was asked for is derived. */
export class SecretTree {
  readonly #suite: Suite;
  /** Secrets by node index that are neither consumed nor derivable from another one kept. */
  readonly #nodes: readonly (Uint8Array | null)[];
  /** By leaf index, once the leaf's secret is consumed. */
  readonly #ratchets: readonly (Ratchets | null)[];

  constructor(
    suite: Suite,
    nodes: readonly (Uint8Array | null)[],
    ratchets: readonly (Ratchets | null)[],
  ) {
    this.#suite = suite;
    this.#nodes = nodes;
    this.#ratchets = ratchets;
  }

  /** `size` is the number of leaves of the ratchet tree. */
  static fromEncryptionSecret(suite: Suite, encryptionSecret: Uint8Array, size: number): SecretTree {
    const nodes = new Array<Uint8Array | null>(math.width(size)).fill(null);
    nodes[math.root(size)] = encryptionSecret;
    return new SecretTree(suite, nodes, new Array<null>(size).fill(null));
  }

  get nodes(): readonly (Uint8Array | null)[] {
    return this.#nodes;
  }

  get ratchets(): readonly (Ratchets | null)[] {
    return this.#ratchets;
  }

  get size(): number {
    return this.#ratchets.length;
  }

  /** Derives down to a leaf, dropping each secret on the way once its children are there. */
  #grow(leaf: number): SecretTree {
    const suite = this.#suite;
    const expand = (secret: Uint8Array, label: string, context: Uint8Array): Uint8Array =>
      expandWithLabel(suite, secret, label, context, suite.hash.size);
    const nodes = this.#nodes.slice();
    const target = math.leafNode(leaf);
    const path = [target, ...math.directPath(target, this.size)];
    const known = path.findIndex((node) => nodes[node] !== null);
    ensure(known >= 0, '9.2-dropped', '', 'replayed');
    for (const node of path.slice(1, known + 1).reverse()) {
      const secret = nodes[node]!;
      nodes[math.left(node)] = expand(secret, 'tree', LEFT);
      nodes[math.right(node)] = expand(secret, 'tree', RIGHT);
      nodes[node] = null;
    }
    const secret = nodes[target]!;
    nodes[target] = null;
    const ratchets = this.#ratchets.slice();
    ratchets[leaf] = {
      handshake: { generation: 0, secret: expand(secret, 'handshake', EMPTY), skipped: [] },
      application: { generation: 0, secret: expand(secret, 'application', EMPTY), skipped: [] },
    };
    return new SecretTree(suite, nodes, ratchets);
  }

  /** The key of one generation of a sender's ratchet, and the tree without it. @throws MlsError */
  take(leaf: number, name: RatchetName, generation: number): [MessageKey, SecretTree] {
    ensure(leaf < this.size, '6.3.2-blank-sender');
    const ratchets = this.#ratchets[leaf]!;
    if (ratchets === null) return this.#grow(leaf).take(leaf, name, generation);
    const current = ratchets[name];
    ensure(current !== null, '9.2-dropped', '', 'replayed');
    const [key, ratchet] = turn(this.#suite, current, generation);
    return [key, this.#withRatchets(leaf, { ...ratchets, [name]: ratchet })];
  }

  /** The next key of a ratchet, for sending, and the tree without it. */
  next(leaf: number, name: RatchetName): [MessageKey, SecretTree] {
    const ratchets = this.#ratchets[leaf]!;
    return this.take(leaf, name, ratchets?.[name]?.generation ?? 0);
  }

  #withRatchets(leaf: number, ratchets: Ratchets | null): SecretTree {
    const all = this.#ratchets.slice();
    all[leaf] = ratchets;
    return new SecretTree(this.#suite, this.#nodes, all);
  }

  /** The tree without a leaf's ratchets: nothing more can be sealed or opened in its name. */
  withoutLeaf(leaf: number): SecretTree {
    return this.#withRatchets(leaf, null).#dropNode(leaf);
  }

  /** The tree without the handshake ratchets made so far, for an epoch in which no more handshakes are accepted. */
  withoutHandshake(): SecretTree {
    const all = this.#ratchets.map((ratchets) => ratchets && { ...ratchets, handshake: null });
    return new SecretTree(this.#suite, this.#nodes, all);
  }

  /** Forgets a leaf's secret, deriving first what its neighbours need. */
  #dropNode(leaf: number): SecretTree {
    const path = [math.leafNode(leaf), ...math.directPath(math.leafNode(leaf), this.size)];
    if (path.every((node) => this.#nodes[node] === null)) return this;
    return this.#grow(leaf).#withRatchets(leaf, null);
  }
}

const LEFT = Uint8Array.of(0x6c, 0x65, 0x66, 0x74);
const RIGHT = Uint8Array.of(0x72, 0x69, 0x67, 0x68, 0x74);
