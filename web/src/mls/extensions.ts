import { type Codec, checked, decode, encode, opaque, struct, u16, vector } from './codec.ts';
import { type Credential, credential } from './credential.ts';

/** RFC 9420, sections 13.4 and 17.3. */
export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

export const RATCHET_TREE = 0x0002;
export const REQUIRED_CAPABILITIES = 0x0003;
export const EXTERNAL_PUB = 0x0004;
export const EXTERNAL_SENDERS = 0x0005;
/** The key package extension of draft-ietf-mls-extensions that says it may be used more than once. */
export const LAST_RESORT = 0x000a;

/** What every implementation knows, so that capabilities do not list it (section 7.2). */
export function isDefaultExtension(type: number): boolean {
  return type >= 0x0001 && type <= 0x0005;
}

/** No type is there twice (section 13.4). */
export function hasUniqueTypes(list: readonly Extension[]): boolean {
  return new Set(list.map((extension) => extension.type)).size === list.length;
}

export const extensions = checked(
  vector(struct<Extension>({ type: u16, data: opaque })),
  '13.4-repeated-extension',
  hasUniqueTypes,
);

/** The decoded content of the extension of that type, or null. @throws MlsError when malformed */
export function findExtension<T>(list: readonly Extension[], type: number, codec: Codec<T>): T | null {
  const found = list.find((extension) => extension.type === type);
  return found === undefined ? null : decode(codec, found.data);
}

export function makeExtension<T>(type: number, codec: Codec<T>, value: T): Extension {
  return { type, data: encode(codec, value) };
}

export interface RequiredCapabilities {
  readonly extensionTypes: readonly number[];
  readonly proposalTypes: readonly number[];
  readonly credentialTypes: readonly number[];
}

export const requiredCapabilities = struct<RequiredCapabilities>({
  extensionTypes: vector(u16),
  proposalTypes: vector(u16),
  credentialTypes: vector(u16),
});

export interface ExternalSender {
  readonly signatureKey: Uint8Array;
  readonly credential: Credential;
}

export const externalSenders = vector(struct<ExternalSender>({ signatureKey: opaque, credential }));

/** `struct { HPKEPublicKey external_pub; }`, itself a vector with its length. */
export const externalPub = opaque;
