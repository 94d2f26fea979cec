import { ensure } from './errors.ts';
import { EMPTY, type Suite, deriveTreeSecret, expandWithLabel } from './suite.ts';
import * as math from './treemath.ts';

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

export function messageKey(suite: Suite, { generation, secret }: Ratchet): MessageKey {
  return {
    generation,
    key: deriveTreeSecret(suite, secret, 'key', generation, suite.aead.keySize),
    nonce: deriveTreeSecret(suite, secret, 'nonce', generation, suite.aead.nonceSize),
  };
}

/** The ratchet one generation on. */
export function step(suite: Suite, { generation, secret, skipped }: Ratchet): Ratchet {
  const next = deriveTreeSecret(suite, secret, 'secret', generation, suite.hash.size);
  return { generation: generation + 1, secret: next, skipped };
}

/** The secret tree of one epoch (RFC 9420, section 9), immutable and lazy: only what was asked for is derived. */
export class SecretTree {
  readonly suite: Suite;
  /** Secrets by node index that are neither consumed nor derivable from another one kept. */
  readonly nodes: readonly (Uint8Array | null)[];
  /** By leaf index, once the leaf's secret is consumed. */
  readonly ratchets: readonly (Ratchets | null)[];

  constructor(
    suite: Suite,
    nodes: readonly (Uint8Array | null)[],
    ratchets: readonly (Ratchets | null)[],
  ) {
    this.suite = suite;
    this.nodes = nodes;
    this.ratchets = ratchets;
  }

  /** `size` is the number of leaves of the ratchet tree. */
  static fromEncryptionSecret(suite: Suite, encryptionSecret: Uint8Array, size: number): SecretTree {
    const nodes = new Array<Uint8Array | null>(math.width(size)).fill(null);
    nodes[math.root(size)] = encryptionSecret;
    return new SecretTree(suite, nodes, new Array<null>(size).fill(null));
  }

  get size(): number {
    return this.ratchets.length;
  }

  /** Derives down to a leaf, dropping each secret on the way once its children are there. */
  grow(leaf: number): SecretTree {
    const suite = this.suite;
    const expand = (secret: Uint8Array, label: string, context: Uint8Array): Uint8Array =>
      expandWithLabel(suite, secret, label, context, suite.hash.size);
    const nodes = this.nodes.slice();
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
    const ratchets = this.ratchets.slice();
    ratchets[leaf] = {
      handshake: { generation: 0, secret: expand(secret, 'handshake', EMPTY), skipped: [] },
      application: { generation: 0, secret: expand(secret, 'application', EMPTY), skipped: [] },
    };
    return new SecretTree(suite, nodes, ratchets);
  }

  /** A sender's ratchet, and the tree with the leaf's ratchets derived. @throws MlsError */
  ratchet(leaf: number, name: RatchetName): [Ratchet, SecretTree] {
    ensure(leaf < this.size, '6.3.2-blank-sender');
    const ratchets = this.ratchets[leaf]!;
    if (ratchets === null) return this.grow(leaf).ratchet(leaf, name);
    const found = ratchets[name];
    ensure(found !== null, '9.2-dropped', '', 'replayed');
    return [found, this];
  }

  /** The next key of a ratchet, for sending, and the tree without it. @throws MlsError */
  next(leaf: number, name: RatchetName): [MessageKey, SecretTree] {
    const [ratchet, tree] = this.ratchet(leaf, name);
    return [messageKey(this.suite, ratchet), tree.withRatchet(leaf, name, step(this.suite, ratchet))];
  }

  withRatchet(leaf: number, name: RatchetName, ratchet: Ratchet): SecretTree {
    return this.withRatchets(leaf, { ...this.ratchets[leaf]!, [name]: ratchet });
  }

  withRatchets(leaf: number, ratchets: Ratchets | null): SecretTree {
    const all = this.ratchets.slice();
    all[leaf] = ratchets;
    return new SecretTree(this.suite, this.nodes, all);
  }
}

const LEFT = Uint8Array.of(0x6c, 0x65, 0x66, 0x74);
const RIGHT = Uint8Array.of(0x72, 0x69, 0x67, 0x68, 0x74);
