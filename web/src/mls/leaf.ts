import { constant, empty, encode, opaque, struct, u16, u32, u64, u8, variant, vector } from './codec.ts';
import { concat } from '../crypto/bytes.ts';
import { equal } from '../crypto/compare.ts';
import { type Credential, credential } from './credential.ts';
import { type Extension, extensions } from './extensions.ts';
import { type Suite, signWithLabel, verifyWithLabel } from './suite.ts';

/** The one protocol version: `mls10`. */
export const MLS10 = 1;
export const version = constant(u16, MLS10, '6-version');

/** RFC 9420, section 7.2. */
export interface Capabilities {
  readonly versions: readonly number[];
  readonly cipherSuites: readonly number[];
  readonly extensions: readonly number[];
  readonly proposals: readonly number[];
  readonly credentials: readonly number[];
}

export const capabilities = struct<Capabilities>({
  versions: vector(u16),
  cipherSuites: vector(u16),
  extensions: vector(u16),
  proposals: vector(u16),
  credentials: vector(u16),
});

/** Seconds since 1970, both ends included. */
export interface Lifetime {
  readonly notBefore: bigint;
  readonly notAfter: bigint;
}

export const lifetime = struct<Lifetime>({ notBefore: u64, notAfter: u64 });

export const FROM_KEY_PACKAGE = 1;
export const FROM_UPDATE = 2;
export const FROM_COMMIT = 3;

/** How the leaf came into the tree, with what only that way has. */
export type LeafSource =
  | { readonly type: typeof FROM_KEY_PACKAGE; readonly lifetime: Lifetime }
  | { readonly type: typeof FROM_UPDATE }
  | { readonly type: typeof FROM_COMMIT; readonly parentHash: Uint8Array };

const source = variant<LeafSource, 'type'>('type', u8, '7.2-source', {
  [FROM_KEY_PACKAGE]: struct<{ lifetime: Lifetime }>({ lifetime }),
  [FROM_UPDATE]: empty,
  [FROM_COMMIT]: struct<{ parentHash: Uint8Array }>({ parentHash: opaque }),
});

/** What a leaf's signature covers, beside its place in the group. */
export interface LeafContent {
  readonly encryptionKey: Uint8Array;
  readonly signatureKey: Uint8Array;
  readonly credential: Credential;
  readonly capabilities: Capabilities;
  readonly source: LeafSource;
  readonly extensions: readonly Extension[];
}

export interface LeafNode extends LeafContent {
  readonly signature: Uint8Array;
}

const fields = { encryptionKey: opaque, signatureKey: opaque, credential, capabilities, source, extensions };
const leafContent = struct<LeafContent>(fields);
export const leafNode = struct<LeafNode>({ ...fields, signature: opaque });

export function sameLeaf(a: LeafNode, b: LeafNode): boolean {
  return equal(encode(leafNode, a), encode(leafNode, b));
}

/** Where a leaf from an update or a commit stands; a key package's leaf stands nowhere yet. */
export interface LeafPlace {
  readonly groupId: Uint8Array;
  readonly leafIndex: number;
}

const place = struct<LeafPlace>({ groupId: opaque, leafIndex: u32 });

function toBeSigned(content: LeafContent, at: LeafPlace | null): Uint8Array {
  const body = encode(leafContent, content);
  return at === null ? body : concat(body, encode(place, at));
}

export async function signLeaf(
  suite: Suite,
  privateKey: Uint8Array,
  content: LeafContent,
  at: LeafPlace | null,
): Promise<LeafNode> {
  const signature = await signWithLabel(suite, privateKey, 'LeafNodeTBS', toBeSigned(content, at));
  return { ...content, signature };
}

export function verifyLeafSignature(suite: Suite, leaf: LeafNode, at: LeafPlace): Promise<boolean> {
  const content = toBeSigned(leaf, leaf.source.type === FROM_KEY_PACKAGE ? null : at);
  return verifyWithLabel(suite, leaf.signatureKey, 'LeafNodeTBS', content, leaf.signature);
}
