/** Why a link cannot be used: cut off, changed on its way, or of a newer version. */
import { fromBase64Url } from '../crypto/bytes.ts';
import { PROTOCOL_VERSION } from './_messages.ts';
import { fromBase64url } from './bytes.ts';
import * as cbor from './cbor.ts';
import { WireError } from './errors.ts';
import { CHECK_SIZE, checked, LinkError, type LinkRule } from './links.ts';

/** All that can be told of what `parseLink` threw; anything but a LinkError as it is. */
export function explained(error: unknown): unknown {
  return error instanceof LinkError && error.payload !== undefined ? new LinkError(ruleOfLink(error.payload)) : error;
}

function ruleOfLink(payload: string): LinkRule {
  if (!/^[\w-]*$/.test(payload)) return 'link-damaged';
  const body = checked(payload);
  if (body) return versionOrDamage(body);
  return isCut(fromBase64url(payload) ?? wholeBytes(payload)) ? 'link-truncated' : 'link-damaged';
}

/** The whole bytes of base64url that ends anywhere. */
function wholeBytes(payload: string): Uint8Array {
  const whole = payload.slice(0, payload.length - (payload.length % 4 === 1 ? 1 : 0));
  return fromBase64Url(whole);
}

/** Whether the end is missing: of the value, or of the check behind it. */
function isCut(data: Uint8Array): boolean {
  for (let missing = 0; missing < CHECK_SIZE; missing++) {
    const rule = ruleOf(data.slice(0, Math.max(0, data.length - missing)));
    if (rule !== 'cbor-trailing') return rule === undefined || rule === 'cbor-truncated';
  }
  return false;
}

function ruleOf(data: Uint8Array): string | undefined {
  try {
    cbor.decode(data);
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error.rule;
    throw error;
  }
}

/** A link whose check is right and whose form is unknown: made by a newer version, or by something else. */
function versionOrDamage(data: Uint8Array): LinkRule {
  if (ruleOf(data) !== undefined) return 'link-damaged';
  const value = cbor.decode(data);
  const version = value instanceof Map ? (value.get(1) as unknown) : undefined;
  return typeof version === 'number' && version > PROTOCOL_VERSION ? 'link-version' : 'link-damaged';
}
