/**
 * What identity keys sign: contact requests of others, re-add requests, leave proofs and where a group goes on
 * (protocol.md sections 5.2, 5.4, 5.7 and 7).
 */
import { AES_256_GCM } from '../crypto/aead.ts';
import { concat } from '../crypto/bytes.ts';
import { sha256 } from '../crypto/hashes.ts';
import { openOnce } from '../crypto/hpke.ts';
import { publicKey, sign, verify } from '../crypto/signature.ts';
import { XWING } from '../crypto/xwing.ts';
import {
  type ContactRequest,
  decodeInboxMessage,
  decodeRecordBody,
  type InboxMessage,
  type LeaveProof,
  type Moved,
  type MovedBody,
  type Reach,
  type ReAddBody,
  type ReAddRequest,
} from './_messages.ts';
import {
  decodeContactRequestBody,
  decodeMovedBody,
  decodeReAddBody,
  encodeMovedBody,
  encodeReAddBody,
} from './_messages_rest.ts';
import { same } from './bytes.ts';
import { REQUEST_OVERHEAD, REQUEST_SIZES, requestInfo } from './contactrequest.ts';
import { type VerifiedDeviceList, verifyDeviceList } from './devicelists.ts';
import { WireError } from './errors.ts';
import { signedBytes } from './labels.ts';
import { unpad } from './padding.ts';
import { isStep, LENGTH_SIZE } from './record.ts';
import { refuse } from './sealing.ts';

/** A request that its identity signed. */
export interface VerifiedContactRequest {
  readonly identity: Uint8Array;
  readonly name: string;
  readonly text: string | undefined;
  readonly devices: VerifiedDeviceList;
  readonly reach: Reach;
}

/** A request that its identity signed. The key package is not verified yet. */
export interface VerifiedReAddRequest extends ReAddBody {
  readonly verified: true;
}

/** Where a group goes on, in the word of `identity`. GroupInfo and Welcome are not verified yet. */
export interface VerifiedMoved extends MovedBody {
  readonly verified: true;
}

/**
 * @throws WireError `contact-request-signature`, `contact-request-card` (made for another invite), a `device-list-` or
 * `cbor-` rule, or `message`.
 */
export async function verifyContactRequest(
  cardId: Uint8Array,
  request: ContactRequest,
): Promise<VerifiedContactRequest> {
  const body = decodeContactRequestBody(request.body);
  const { identity, name, text, reach } = body;
  if (!(await verify(identity, signedBytes('contact request', request.body), request.signature))) {
    throw new WireError('contact-request-signature');
  }
  if (!same(body.card, cardId)) throw new WireError('contact-request-card');
  return { identity, name, text, devices: await verifyDeviceList(identity, body.devices), reach };
}

/**
 * @throws WireError `contact-request-size`, `contact-request-open`, `contact-request-inline` (a body in a blob), a
 * `padding-` or `cbor-` rule, or `message`.
 */
export async function openContactRequest(
  privateKey: Uint8Array,
  cardId: Uint8Array,
  inbox: Uint8Array,
  record: Uint8Array,
): Promise<InboxMessage> {
  if (!isStep(record.length) || record.length < REQUEST_OVERHEAD) throw new WireError('contact-request-size');
  const size = XWING.encapsulationSize;
  const [enc, sealed, info] = [record.slice(0, size), record.slice(size), requestInfo(cardId)];
  const padded = await refuse('contact-request-open', () =>
    openOnce(XWING, AES_256_GCM, privateKey, enc, info, inbox, sealed),
  );
  const body = decodeRecordBody(unpad(padded, REQUEST_SIZES, LENGTH_SIZE));
  if (body.type !== 'Inline') throw new WireError('contact-request-inline');
  return decodeInboxMessage(body.body);
}

export async function signReAddRequest(identitySeed: Uint8Array, body: ReAddBody): Promise<ReAddRequest> {
  const encoded = encodeReAddBody(body);
  return { type: 'ReAddRequest', body: encoded, signature: await sign(identitySeed, signedBytes('re-add', encoded)) };
}

/** @throws WireError `re-add-signature`, a `cbor-` rule, or `message`. */
export async function verifyReAddRequest(request: ReAddRequest): Promise<VerifiedReAddRequest> {
  const body = decodeReAddBody(request.body);
  if (!(await verify(body.identity, signedBytes('re-add', request.body), request.signature))) {
    throw new WireError('re-add-signature');
  }
  return { verified: true, ...body };
}

export async function signMoved(identitySeed: Uint8Array, body: MovedBody): Promise<Moved> {
  const encoded = encodeMovedBody(body);
  return { body: encoded, signature: await sign(identitySeed, signedBytes('moved', encoded)) };
}

/** @throws WireError `moved-signature`, a `cbor-` rule, or `message`. */
export async function verifyMoved(moved: Moved): Promise<VerifiedMoved> {
  const body = decodeMovedBody(moved.body);
  if (!(await verify(body.identity, signedBytes('moved', moved.body), moved.signature))) {
    throw new WireError('moved-signature');
  }
  return { verified: true, ...body };
}

/**
 * What a LeaveProof calls an encoded LeafNode by. Each commit of a member's own, and each time it is added, changes its
 * leaf: a proof says nothing of what the member is after that.
 */
export function leafHash(leafNode: Uint8Array): Uint8Array {
  return sha256(signedBytes('leaf', leafNode));
}

/** `leaves`: at most 16 leaf hashes. */
export async function signLeaveProof(
  identitySeed: Uint8Array,
  groupId: Uint8Array,
  leaves: readonly Uint8Array[],
): Promise<LeaveProof> {
  const identity = await publicKey(identitySeed);
  return { identity, leaves, signature: await sign(identitySeed, leave(groupId, identity, leaves)) };
}

/** Whether the proof's identity wishes that the leaf with this hash be removed from this group. */
export async function verifyLeaveProof(groupId: Uint8Array, leaf: Uint8Array, proof: LeaveProof): Promise<boolean> {
  const { identity, leaves, signature } = proof;
  return leaves.some((one) => same(one, leaf)) && verify(identity, leave(groupId, identity, leaves), signature);
}

function leave(groupId: Uint8Array, identity: Uint8Array, leaves: readonly Uint8Array[]): Uint8Array {
  return signedBytes('leave', concat(groupId, identity, ...leaves));
}
