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

/** The ratchets of a leaf, in the order of their places. */
const NAMES = ['handshake', 'application'] as const;
export type RatchetName = (typeof NAMES)[number];

/** Where a ratchet is among those of a secret tree. */
export function placeOf(leaf: number, name: RatchetName): number {
  return NAMES.length * leaf + NAMES.indexOf(name);
}

export function leafOf(place: number): number {
  return Math.floor(place / NAMES.length);
}

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
  /** The number of leaves of the ratchet tree. */
  readonly size: number;
  /** Secrets by node index that are neither consumed nor derivable from another one kept. */
  readonly nodes: ReadonlyMap<number, Uint8Array>;
  /** By `placeOf`, once the leaf's secret is consumed; one that was dropped is not there. */
  readonly ratchets: ReadonlyMap<number, Ratchet>;

  constructor(
    suite: Suite,
    size: number,
    nodes: ReadonlyMap<number, Uint8Array>,
    ratchets: ReadonlyMap<number, Ratchet> = new Map(),
  ) {
    this.suite = suite;
    this.size = size;
    this.nodes = nodes;
    this.ratchets = ratchets;
  }

  static fromEncryptionSecret(suite: Suite, encryptionSecret: Uint8Array, size: number): SecretTree {
    return new SecretTree(suite, size, new Map([[math.root(size), encryptionSecret]]));
  }

  /** Derives down to a leaf, dropping each secret on the way once its children are there. @throws MlsError */
  grow(leaf: number): SecretTree {
    const suite = this.suite;
    const expand = (secret: Uint8Array, label: string, context: Uint8Array): Uint8Array =>
      expandWithLabel(suite, secret, label, context, suite.hash.size);
    const nodes = new Map(this.nodes);
    const take = (node: number): Uint8Array => {
      const secret = nodes.get(node)!;
      nodes.delete(node);
      return secret;
    };
    const target = math.leafNode(leaf);
    const path = [target, ...math.directPath(target, this.size)];
    const known = path.findIndex((node) => nodes.has(node));
    ensure(known >= 0, '9.2-dropped', '', 'replayed');
    for (const node of path.slice(1, known + 1).reverse()) {
      const secret = take(node);
      nodes.set(math.left(node), expand(secret, 'tree', LEFT));
      nodes.set(math.right(node), expand(secret, 'tree', RIGHT));
    }
    const secret = take(target);
    const ratchets = new Map(this.ratchets);
    for (const name of NAMES) {
      ratchets.set(placeOf(leaf, name), { generation: 0, secret: expand(secret, name, EMPTY), skipped: [] });
    }
    return new SecretTree(suite, this.size, nodes, ratchets);
  }

  /** A sender's ratchet, and the tree with the leaf's ratchets derived. @throws MlsError */
  ratchet(leaf: number, name: RatchetName): [Ratchet, SecretTree] {
    ensure(leaf < this.size, '6.3.2-blank-sender');
    const found = this.ratchets.get(placeOf(leaf, name));
    return found === undefined ? this.grow(leaf).ratchet(leaf, name) : [found, this];
  }

  /** The next key of a ratchet, for sending, and the tree without it. @throws MlsError */
  next(leaf: number, name: RatchetName): [MessageKey, SecretTree] {
    const [ratchet, tree] = this.ratchet(leaf, name);
    return [messageKey(this.suite, ratchet), tree.withRatchet(leaf, name, step(this.suite, ratchet))];
  }

  withRatchet(leaf: number, name: RatchetName, ratchet: Ratchet): SecretTree {
    return new SecretTree(this.suite, this.size, this.nodes, new Map(this.ratchets).set(placeOf(leaf, name), ratchet));
  }
}

const LEFT = Uint8Array.of(0x6c, 0x65, 0x66, 0x74);
const RIGHT = Uint8Array.of(0x72, 0x69, 0x67, 0x68, 0x74);
