import { encode, opaque, struct, u32 } from './codec.ts';
import { type Extension, extensions } from './extensions.ts';
import { type GroupContext, groupContext } from './groupcontext.ts';
import { type Suite, signWithLabel, verifyWithLabel } from './suite.ts';

/** RFC 9420, section 12.4.3. */
export interface GroupInfo {
  readonly context: GroupContext;
  readonly extensions: readonly Extension[];
  readonly confirmationTag: Uint8Array;
  readonly signer: number;
  readonly signature: Uint8Array;
}

const fields = { context: groupContext, extensions, confirmationTag: opaque, signer: u32 };
const content = struct<Omit<GroupInfo, 'signature'>>(fields);
export const groupInfo = struct<GroupInfo>({ ...fields, signature: opaque });

export async function signGroupInfo(
  suite: Suite,
  privateKey: Uint8Array,
  value: Omit<GroupInfo, 'signature'>,
): Promise<GroupInfo> {
  return { ...value, signature: await signWithLabel(suite, privateKey, 'GroupInfoTBS', encode(content, value)) };
}

export function verifyGroupInfoSignature(suite: Suite, publicKey: Uint8Array, value: GroupInfo): Promise<boolean> {
  return verifyWithLabel(suite, publicKey, 'GroupInfoTBS', encode(content, value), value.signature);
}
