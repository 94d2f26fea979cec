/** The bytes of lower-case hex, as `crypto/bytes.hex` writes it. */
export function unhex(text: string): Uint8Array {
  const pairs = text.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}
