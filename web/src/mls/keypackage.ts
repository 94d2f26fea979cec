import { encode, opaque, struct, u16 } from './codec.ts';
import { type Extension, extensions } from './extensions.ts';
import { type LeafNode, MLS10, leafNode, version } from './leaf.ts';
import { type Suite, refHash, signWithLabel, verifyWithLabel } from './suite.ts';

/** RFC 9420, section 10. */
export interface KeyPackage {
  readonly version: typeof MLS10;
  readonly cipherSuite: number;
  readonly initKey: Uint8Array;
  readonly leafNode: LeafNode;
  readonly extensions: readonly Extension[];
  readonly signature: Uint8Array;
}

const fields = { version, cipherSuite: u16, initKey: opaque, leafNode, extensions };
const content = struct<Omit<KeyPackage, 'signature'>>(fields);
export const keyPackage = struct<KeyPackage>({ ...fields, signature: opaque });

export async function signKeyPackage(
  suite: Suite,
  privateKey: Uint8Array,
  value: Omit<KeyPackage, 'signature'>,
): Promise<KeyPackage> {
  return { ...value, signature: await signWithLabel(suite, privateKey, 'KeyPackageTBS', encode(content, value)) };
}

export function verifyKeyPackageSignature(suite: Suite, value: KeyPackage): Promise<boolean> {
  return verifyWithLabel(
    suite,
    value.leafNode.signatureKey,
    'KeyPackageTBS',
    encode(content, value),
    value.signature,
  );
}

/** KeyPackageRef (section 5.2). */
export function keyPackageRef(suite: Suite, value: KeyPackage): Uint8Array {
  return refHash(suite, 'MLS 1.0 KeyPackage Reference', encode(keyPackage, value));
}
