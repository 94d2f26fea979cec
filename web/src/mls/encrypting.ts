import { sealOnce } from '../crypto/hpke.ts';
import type { Random } from '../crypto/random.ts';
import { EMPTY, type HpkeCiphertext, type Suite, labelledContent, opened } from './suite.ts';

/** EncryptWithLabel (section 5.1.3). Draws before its first await. @throws MlsError where the key is none */
export async function encryptWithLabel(
  suite: Suite,
  publicKey: Uint8Array,
  label: string,
  context: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): Promise<HpkeCiphertext> {
  const info = labelledContent(label, context);
  const sealing = sealOnce(suite.kem, suite.aead, publicKey, info, EMPTY, plaintext, random);
  const [kemOutput, ciphertext] = await opened('5.1.3-public-key', sealing);
  return { kemOutput, ciphertext };
}
