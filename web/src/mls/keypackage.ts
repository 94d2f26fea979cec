import type { Random } from '../crypto/random.ts';
import { constant, decode, encode, opaque, struct, u16, u8 } from './codec.ts';
import type { Credential } from './credential.ts';
import { ensure } from './errors.ts';
import { type Extension, LAST_RESORT, extensions, isDefaultExtension } from './extensions.ts';
import {
  type Capabilities,
  FROM_KEY_PACKAGE,
  type LeafNode,
  type Lifetime,
  MLS10,
  leafNode,
  signLeaf,
} from './leaf.ts';
import { type Suite, refHash, signWithLabel, signaturePublicKey, suiteById } from './suite.ts';

/** RFC 9420, section 10. */
export interface KeyPackage {
  readonly version: number;
  readonly cipherSuite: number;
  readonly initKey: Uint8Array;
  readonly leafNode: LeafNode;
  readonly extensions: readonly Extension[];
  readonly signature: Uint8Array;
}

const fields = { version: u16, cipherSuite: u16, initKey: opaque, leafNode, extensions };
export const unsigned = struct<Omit<KeyPackage, 'signature'>>(fields);
export const keyPackage = struct<KeyPackage>({ ...fields, signature: opaque });

export async function signKeyPackage(
  suite: Suite,
  privateKey: Uint8Array,
  value: Omit<KeyPackage, 'signature'>,
): Promise<KeyPackage> {
  return { ...value, signature: await signWithLabel(suite, privateKey, 'KeyPackageTBS', encode(unsigned, value)) };
}

/** What is published; not wrapped in an MLSMessage. */
export function encodeKeyPackage(value: KeyPackage): Uint8Array {
  return encode(keyPackage, value);
}

/** KeyPackageRef (section 5.2). */
export function keyPackageRef(suite: Suite, value: KeyPackage): Uint8Array {
  return refHash(suite, 'MLS 1.0 KeyPackage Reference', encodeKeyPackage(value));
}

interface BundleFields {
  readonly format: number;
  readonly keyPackage: KeyPackage;
  readonly initPrivate: Uint8Array;
  readonly encryptionPrivate: Uint8Array;
  readonly signaturePrivate: Uint8Array;
}

const FORMAT = 1;
const bundle = struct<BundleFields>({
  format: constant(u8, FORMAT, 'state-version'),
  keyPackage,
  initPrivate: opaque,
  encryptionPrivate: opaque,
  signaturePrivate: opaque,
});

/** A key package of ours with its private keys; destroyed after joining unless it is the last resort. */
export class KeyPackageBundle {
  readonly keyPackage: KeyPackage;
  readonly #fields: BundleFields;

  constructor(fields: Omit<BundleFields, 'format'>) {
    this.keyPackage = fields.keyPackage;
    this.#fields = { ...fields, format: FORMAT };
  }

  get initPrivate(): Uint8Array {
    return this.#fields.initPrivate;
  }

  get encryptionPrivate(): Uint8Array {
    return this.#fields.encryptionPrivate;
  }

  get signaturePrivate(): Uint8Array {
    return this.#fields.signaturePrivate;
  }

  /** The KeyPackageRef by which a Welcome names it. */
  get reference(): Uint8Array {
    return keyPackageRef(suiteById(this.keyPackage.cipherSuite), this.keyPackage);
  }

  /** For storage. */
  encode(): Uint8Array {
    return encode(bundle, this.#fields);
  }

  /** @throws MlsError code `malformed` */
  static decode(data: Uint8Array): KeyPackageBundle {
    return new KeyPackageBundle(decode(bundle, data));
  }
}

/** What a leaf is made of besides its keys. */
export interface LeafOptions {
  readonly leafExtensions?: readonly Extension[];
  /** Without it a leaf supports exactly the extension types used. */
  readonly capabilities?: Capabilities | null;
}

/** MLS 1.0, this suite, basic credentials and the application's extension types in ascending order. */
export function defaultCapabilities(suite: Suite, extensionTypes: readonly number[]): Capabilities {
  const types = [...new Set(extensionTypes)].filter((type) => !isDefaultExtension(type)).sort((a, b) => a - b);
  return { versions: [MLS10], cipherSuites: [suite.id], extensions: types, proposals: [], credentials: [1] };
}

/** The capabilities given, which must list what is used, or the default. @throws MlsError rule `10-capabilities` */
export function capabilitiesFor(
  suite: Suite,
  given: Capabilities | null | undefined,
  used: readonly Extension[],
): Capabilities {
  const types = used.map((extension) => extension.type);
  if (given === null || given === undefined) return defaultCapabilities(suite, types);
  const listed = types.every((type) => isDefaultExtension(type) || given.extensions.includes(type));
  ensure(listed, '10-capabilities', 'an extension used is not listed in the capabilities');
  return given;
}

/** A new key package. Draws the init key pair, then the leaf's encryption key pair. */
export async function makeKeyPackage(
  suite: Suite,
  credential: Credential,
  signaturePrivate: Uint8Array,
  options: LeafOptions & {
    readonly lifetime: Lifetime;
    readonly extensions?: readonly Extension[];
    readonly lastResort?: boolean;
    readonly random: Random;
  },
): Promise<KeyPackageBundle> {
  const { leafExtensions = [], lifetime, random } = options;
  const used = [...(options.extensions ?? [])];
  if (options.lastResort) used.push({ type: LAST_RESORT, data: new Uint8Array(0) });
  const capabilities = capabilitiesFor(suite, options.capabilities, [...used, ...leafExtensions]);
  const init = await suite.kem.generate(random);
  const encryption = await suite.kem.generate(random);
  const leaf = await signLeaf(
    suite,
    signaturePrivate,
    {
      encryptionKey: encryption.publicKey,
      signatureKey: await signaturePublicKey(suite, signaturePrivate),
      credential,
      capabilities,
      source: { type: FROM_KEY_PACKAGE, lifetime },
      extensions: leafExtensions,
    },
    null,
  );
  const signed = await signKeyPackage(suite, signaturePrivate, {
    version: MLS10,
    cipherSuite: suite.id,
    initKey: init.publicKey,
    leafNode: leaf,
    extensions: used,
  });
  return new KeyPackageBundle({
    keyPackage: signed,
    initPrivate: init.privateKey,
    encryptionPrivate: encryption.privateKey,
    signaturePrivate,
  });
}

export function isLastResort(value: KeyPackage): boolean {
  return value.extensions.some((extension) => extension.type === LAST_RESORT);
}
