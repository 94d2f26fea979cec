/** The relay's key configurations (protocol.md section 2.1). */
import { sign, verify } from '../crypto/signature.ts';
import { XWING } from '../crypto/xwing.ts';
import {
  decodeKeyConfigList,
  decodeSignedKeyConfigs,
  encodeKeyConfigList,
  encodeSignedKeyConfigs,
  type KeyConfig,
} from './_messages.ts';
import { WireError } from './errors.ts';
import { signedBytes } from './labels.ts';

/** A list that the relay's identity signed. */
export interface VerifiedKeyConfigs {
  readonly configs: readonly KeyConfig[];
  /** The configuration to use: of the X-Wing ones, that with the latest `notBefore`. */
  readonly newest: KeyConfig;
}

/** An encoded SignedKeyConfigs. @throws WireError `message` over a limit. */
export async function signKeyConfigs(relaySeed: Uint8Array, configs: readonly KeyConfig[]): Promise<Uint8Array> {
  const body = encodeKeyConfigList({ configs });
  return encodeSignedKeyConfigs({ body, signature: await sign(relaySeed, signedBytes('keys', body)) });
}

/**
 * The list in an encoded SignedKeyConfigs; `told` is the latest time (ms) in an authenticated answer of this relay.
 *
 * @throws WireError `keys-signature`, `keys-doubled` (an id twice), `keys-none` (no X-Wing key), `keys-expired` (the
 * newest ended before `told`: an old list), a `cbor-` rule, or `message`.
 */
export async function verifyKeyConfigs(
  relayIdentity: Uint8Array,
  data: Uint8Array,
  told = 0,
): Promise<VerifiedKeyConfigs> {
  const { body, signature } = decodeSignedKeyConfigs(data);
  if (!(await verify(relayIdentity, signedBytes('keys', body), signature))) throw new WireError('keys-signature');
  const { configs } = decodeKeyConfigList(body);
  if (new Set(configs.map((config) => config.id)).size !== configs.length) throw new WireError('keys-doubled');
  const usable = configs.filter((c) => c.kem === XWING.id && c.publicKey.length === XWING.publicKeySize);
  const [first, ...others] = usable;
  if (!first) throw new WireError('keys-none');
  const newest = others.reduce((best, config) => (config.notBefore > best.notBefore ? config : best), first);
  if (newest.notAfter < told) throw new WireError('keys-expired');
  return { configs, newest };
}
