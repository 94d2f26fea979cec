import { empty, struct, u32, u8, variant } from './codec.ts';

/** Who a message is from (RFC 9420, section 6). */

export const MEMBER = 1;
export const EXTERNAL = 2;
export const NEW_MEMBER_PROPOSAL = 3;
export const NEW_MEMBER_COMMIT = 4;

export type Sender =
  | { readonly type: typeof MEMBER; readonly leafIndex: number }
  | { readonly type: typeof EXTERNAL; readonly senderIndex: number }
  | { readonly type: typeof NEW_MEMBER_PROPOSAL }
  | { readonly type: typeof NEW_MEMBER_COMMIT };

export const sender = variant<Sender, 'type'>('type', u8, '6-sender-type', {
  [MEMBER]: struct<{ leafIndex: number }>({ leafIndex: u32 }),
  [EXTERNAL]: struct<{ senderIndex: number }>({ senderIndex: u32 }),
  [NEW_MEMBER_PROPOSAL]: empty,
  [NEW_MEMBER_COMMIT]: empty,
});
