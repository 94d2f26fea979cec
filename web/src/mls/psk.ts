import { hex } from '../crypto/bytes.ts';
import { encode, oneOf, opaque, struct, u16, u64, u8, variant } from './codec.ts';
import { ensure } from './errors.ts';
import { type Suite, expandWithLabel, zeros } from './suite.ts';

export const EXTERNAL_PSK = 1;
export const RESUMPTION_PSK = 2;

export const FOR_APPLICATION = 1;
export const FOR_REINIT = 2;
export const FOR_BRANCH = 3;

export type ResumptionPskId = Extract<PskId, { readonly type: typeof RESUMPTION_PSK }>;

/** PreSharedKeyID (RFC 9420, section 8.4). */
export type PskId =
  | { readonly type: typeof EXTERNAL_PSK; readonly id: Uint8Array; readonly nonce: Uint8Array }
  | {
      readonly type: typeof RESUMPTION_PSK;
      readonly usage: number;
      readonly groupId: Uint8Array;
      readonly epoch: bigint;
      readonly nonce: Uint8Array;
    };

const usage = oneOf<number>(u8, '8.4-usage', FOR_APPLICATION, FOR_REINIT, FOR_BRANCH);

export const pskId = variant<PskId, 'type'>('type', u8, '8.4-type', {
  [EXTERNAL_PSK]: struct<{ id: Uint8Array; nonce: Uint8Array }>({ id: opaque, nonce: opaque }),
  [RESUMPTION_PSK]: struct<{ usage: number; groupId: Uint8Array; epoch: bigint; nonce: Uint8Array }>({
    usage,
    groupId: opaque,
    epoch: u64,
    nonce: opaque,
  }),
});

const label = struct<{ id: PskId; index: number; count: number }>({ id: pskId, index: u16, count: u16 });

/**
 * Pre-shared keys at hand, by `pskName`: for an external PSK its id in hexadecimal; for a resumption PSK
 * `<group id in hexadecimal>/<epoch>`.
 */
export type Psks = ReadonlyMap<string, Uint8Array>;

export function pskName(id: PskId): string {
  return id.type === EXTERNAL_PSK ? hex(id.id) : `${hex(id.groupId)}/${id.epoch}`;
}

/** The secrets of those ids, in order. @throws MlsError rule `12.4.2-psk-missing` */
export function findPsks(ids: readonly PskId[], ...sources: readonly Psks[]): Uint8Array[] {
  return ids.map((id) => {
    const name = pskName(id);
    const found = sources.map((source) => source.get(name)).find((value) => value !== undefined);
    ensure(found !== undefined, '12.4.2-psk-missing', name);
    return found;
  });
}

/** psk_secret of section 8.4; all zeros for no PSK. */
export function pskSecret(suite: Suite, ids: readonly PskId[], psks: readonly Uint8Array[]): Uint8Array {
  const { extract, size } = suite.hash;
  const count = ids.length;
  return ids.reduce((secret, id, index) => {
    const extracted = extract(zeros(suite), psks[index]!);
    const context = encode(label, { id, index, count });
    return extract(expandWithLabel(suite, extracted, 'derived psk', context, size), secret);
  }, zeros(suite));
}
