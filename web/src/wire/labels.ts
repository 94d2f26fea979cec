/** Derived secrets, ids, hashes and signing bytes. Every label begins with "polynya", so that no two uses meet. */
import { concat, utf8 } from '../crypto/bytes.ts';
import { hkdfExpand, sha256 } from '../crypto/hashes.ts';

/** HKDF-Expand with the protocol's prefix (protocol.md, first paragraph). */
export function expand(key: Uint8Array, label: string, length: number): Uint8Array {
  return hkdfExpand(key, utf8(`polynya 1 ${label}`), length);
}

/** What the relay checks before it appends; 32 bytes. */
export function writeSecret(topicSecret: Uint8Array): Uint8Array {
  return expand(topicSecret, 'write', 32);
}

/** What the relay never sees: seals the topic's records; 32 bytes. */
export function recordKey(topicSecret: Uint8Array): Uint8Array {
  return expand(topicSecret, 'record', 32);
}

const labelled = (label: string, ...parts: Uint8Array[]): Uint8Array =>
  sha256(concat(utf8(`polynya ${label} 1`), ...parts));

/** Seals an invite's card. The 16-byte secret is hashed first: HKDF's key is as long as its hash (RFC 5869). */
export function cardKey(inviteSecret: Uint8Array): Uint8Array {
  return expand(labelled('invite', inviteSecret), 'card', 32);
}

export function topicId(secret: Uint8Array): Uint8Array {
  return labelled('topic', secret);
}

export function inboxId(readSecret: Uint8Array): Uint8Array {
  return labelled('inbox', readSecret);
}

/** Owns the key packages of one suite; 32 bytes, from a device's one secret. */
export function ownerSecret(secret: Uint8Array, suite: number): Uint8Array {
  return expand(secret, `owner ${suite}`, 32);
}

/** Under which key packages are stored. */
export function ownerId(ownerSecret: Uint8Array): Uint8Array {
  return labelled('key packages', ownerSecret);
}

export function blobId(blob: Uint8Array): Uint8Array {
  return sha256(blob);
}

export function recordHash(record: Uint8Array): Uint8Array {
  return sha256(record);
}

/** Head of a topic's hash chain after the next record; the first `head` is the topic id. */
export function chainHead(head: Uint8Array, hash: Uint8Array): Uint8Array {
  return labelled('chain', head, hash);
}

/** What a signature covers: "polynya " || label || " 1" || body. */
export function signedBytes(label: string, body: Uint8Array): Uint8Array {
  return concat(utf8(`polynya ${label} 1`), body);
}
