import { ensure } from './errors.ts';
import { type Suite, deriveSecret, expandWithLabel } from './suite.ts';

/** What an epoch keeps of its key schedule (RFC 9420, section 8). */
export interface EpochSecrets {
  readonly senderDataSecret: Uint8Array;
  readonly exporterSecret: Uint8Array;
  readonly externalSecret: Uint8Array;
  readonly confirmationKey: Uint8Array;
  readonly membershipKey: Uint8Array;
  readonly resumptionPsk: Uint8Array;
  readonly epochAuthenticator: Uint8Array;
  readonly initSecret: Uint8Array;
}

/** `encryptionSecret` goes into the secret tree and is kept nowhere else. */
export interface NewEpoch {
  readonly secrets: EpochSecrets;
  readonly encryptionSecret: Uint8Array;
}

export function welcomeSecret(suite: Suite, joiner: Uint8Array, psk: Uint8Array): Uint8Array {
  return deriveSecret(suite, suite.hash.extract(joiner, psk), 'welcome');
}

export function fromJoiner(suite: Suite, joiner: Uint8Array, psk: Uint8Array, context: Uint8Array): NewEpoch {
  const member = suite.hash.extract(joiner, psk);
  return fromEpochSecret(suite, expandWithLabel(suite, member, 'epoch', context, suite.hash.size));
}

export function fromEpochSecret(suite: Suite, epochSecret: Uint8Array): NewEpoch {
  const derive = (label: string): Uint8Array => deriveSecret(suite, epochSecret, label);
  return {
    encryptionSecret: derive('encryption'),
    secrets: {
      senderDataSecret: derive('sender data'),
      exporterSecret: derive('exporter'),
      externalSecret: derive('external'),
      confirmationKey: derive('confirm'),
      membershipKey: derive('membership'),
      resumptionPsk: derive('resumption'),
      epochAuthenticator: derive('authentication'),
      initSecret: derive('init'),
    },
  };
}

/** MLS-Exporter (section 8.5). @throws MlsError */
export function exportSecret(
  suite: Suite,
  exporterSecret: Uint8Array,
  label: string | Uint8Array,
  context: Uint8Array,
  length: number,
): Uint8Array {
  ensure(length <= 255 * suite.hash.size, '8-length', `${length} bytes`);
  const derived = deriveSecret(suite, exporterSecret, label);
  return expandWithLabel(suite, derived, 'exported', suite.hash.digest(context), length);
}
