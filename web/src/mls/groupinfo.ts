import { encode, opaque, struct, u32 } from './codec.ts';
import { type Extension, extensions } from './extensions.ts';
import { type GroupContext, groupContext } from './groupcontext.ts';
import { type Suite, verifyWithLabel } from './suite.ts';

/** RFC 9420, section 12.4.3. */
export interface GroupInfo {
  readonly context: GroupContext;
  readonly extensions: readonly Extension[];
  readonly confirmationTag: Uint8Array;
  readonly signer: number;
  readonly signature: Uint8Array;
}

/** Of its signature. */
export const GROUP_INFO_LABEL = 'GroupInfoTBS';

const fields = { context: groupContext, extensions, confirmationTag: opaque, signer: u32 };
export const groupInfoContent = struct<Omit<GroupInfo, 'signature'>>(fields);
export const groupInfo = struct<GroupInfo>({ ...fields, signature: opaque });

export function verifyGroupInfoSignature(suite: Suite, publicKey: Uint8Array, value: GroupInfo): Promise<boolean> {
  return verifyWithLabel(suite, publicKey, GROUP_INFO_LABEL, encode(groupInfoContent, value), value.signature);
}
