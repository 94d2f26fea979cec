/** Receipts: what the relay signs about a slot's records (protocol.md section 2.4). */
import { sign, verify } from '../crypto/signature.ts';
import type { Receipt, ReceiptBody } from './_messages.ts';
import { encodeReceiptBody } from './_messages_rest.ts';
import { signedBytes } from './labels.ts';

/** The relay's word on one position of a slot. */
export async function signReceipt(relaySeed: Uint8Array, body: ReceiptBody): Promise<Receipt> {
  const signature = await sign(relaySeed, signedBytes('receipt', encodeReceiptBody(body)));
  return { position: body.position, signature };
}

/** Whether the relay signed `body`, and the receipt speaks of its position. */
export async function verifyReceipt(relayIdentity: Uint8Array, body: ReceiptBody, receipt: Receipt): Promise<boolean> {
  const message = signedBytes('receipt', encodeReceiptBody(body));
  return receipt.position === body.position && verify(relayIdentity, message, receipt.signature);
}
