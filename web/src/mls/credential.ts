import { opaque, u16, struct, variant, vector } from './codec.ts';

/** RFC 9420, section 5.3. Whether an identity may hold a signature key is the application's to judge. */
export type Credential =
  | { readonly type: typeof BASIC; readonly identity: Uint8Array }
  | { readonly type: typeof X509; readonly certificates: readonly Uint8Array[] };

export const BASIC = 1;
export const X509 = 2;

export const credential = variant<Credential, 'type'>('type', u16, '5.3-credential-type', {
  [BASIC]: struct<{ identity: Uint8Array }>({ identity: opaque }),
  [X509]: struct<{ certificates: readonly Uint8Array[] }>({ certificates: vector(opaque) }),
});

export function basicCredential(identity: Uint8Array): Credential {
  return { type: BASIC, identity };
}
