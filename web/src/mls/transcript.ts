import { concat } from '../crypto/bytes.ts';
import { encode, opaque, struct, u16 } from './codec.ts';
import { type AuthenticatedContent, type FramedContent, framedContent } from './framing.ts';
import type { Suite } from './suite.ts';

const confirmedInput = struct<{ wireFormat: number; content: FramedContent; signature: Uint8Array }>({
  wireFormat: u16,
  content: framedContent,
  signature: opaque,
});

/** The confirmed transcript hash after a commit (RFC 9420, section 8.2); the confirmation tag does not count yet. */
export function confirmedTranscriptHash(
  suite: Suite,
  interimBefore: Uint8Array,
  { wireFormat, content, auth }: AuthenticatedContent,
): Uint8Array {
  const input = encode(confirmedInput, { wireFormat, content, signature: auth.signature });
  return suite.hash.digest(concat(interimBefore, input));
}
