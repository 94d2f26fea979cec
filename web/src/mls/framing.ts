import { type Codec, type Reader, type Writer, checked, encode, oneOf, opaque, struct, u16, u64, u8, variant } from './codec.ts';
import { type Commit, commit } from './commit.ts';
import { type GroupInfo, groupInfo } from './groupinfo.ts';
import { type KeyPackage, keyPackage } from './keypackage.ts';
import { MLS10, version } from './leaf.ts';
import {
  APPLICATION,
  COMMIT,
  GROUP_INFO,
  KEY_PACKAGE,
  PRIVATE_MESSAGE,
  PROPOSAL,
  PUBLIC_MESSAGE,
  type PrivateMessage,
  WELCOME,
  checkPadding,
  privateMessage,
} from './privatemessage.ts';
import { type Proposal, proposal } from './proposal.ts';
import { MEMBER, type Sender, sender } from './sender.ts';
import { type Welcome, welcome } from './welcome.ts';

/** RFC 9420, section 6. */

export { type Sender, EXTERNAL, MEMBER, NEW_MEMBER_COMMIT, NEW_MEMBER_PROPOSAL } from './sender.ts';
export {
  type PrivateMessage,
  type SenderData,
  APPLICATION,
  COMMIT,
  GROUP_INFO,
  KEY_PACKAGE,
  PRIVATE_MESSAGE,
  PROPOSAL,
  PUBLIC_MESSAGE,
  WELCOME,
  privateContentAad,
  senderData,
  senderDataAad,
} from './privatemessage.ts';

export type Content =
  | { readonly type: typeof APPLICATION; readonly data: Uint8Array }
  | { readonly type: typeof PROPOSAL; readonly proposal: Proposal }
  | { readonly type: typeof COMMIT; readonly commit: Commit };

const bodies = {
  [APPLICATION]: struct<{ data: Uint8Array }>({ data: opaque }),
  [PROPOSAL]: struct<{ proposal: Proposal }>({ proposal }),
  [COMMIT]: struct<{ commit: Commit }>({ commit }),
};

const content = variant<Content, 'type'>('type', u8, '6-content-type', bodies);

export interface FramedContent {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly sender: Sender;
  readonly authenticatedData: Uint8Array;
  readonly content: Content;
}

export const framedContent = struct<FramedContent>({
  groupId: opaque,
  epoch: u64,
  sender,
  authenticatedData: opaque,
  content,
});

/** FramedContentAuthData: commits have a confirmation tag, others have none. */
export interface AuthData {
  readonly signature: Uint8Array;
  readonly confirmationTag: Uint8Array | null;
}

/** The tag's presence follows from the content's type. */
export function authData(type: Content['type']): Codec<AuthData> {
  return {
    write(writer, value) {
      opaque.write(writer, value.signature);
      if (type === COMMIT) opaque.write(writer, value.confirmationTag!);
    },
    read(reader) {
      const signature = opaque.read(reader);
      return { signature, confirmationTag: type === COMMIT ? opaque.read(reader) : null };
    },
  };
}

export type ContentWireFormat = typeof PUBLIC_MESSAGE | typeof PRIVATE_MESSAGE;

export interface AuthenticatedContent {
  readonly wireFormat: ContentWireFormat;
  readonly content: FramedContent;
  readonly auth: AuthData;
}

const contentWireFormat = oneOf<ContentWireFormat>(u16, '6-wire-format', PUBLIC_MESSAGE, PRIVATE_MESSAGE);

export const authenticatedContent: Codec<AuthenticatedContent> = {
  write(writer, value) {
    u16.write(writer, value.wireFormat);
    framedContent.write(writer, value.content);
    authData(value.content.content.type).write(writer, value.auth);
  },
  read(reader) {
    const wireFormat = contentWireFormat.read(reader);
    const framed = framedContent.read(reader);
    return { wireFormat, content: framed, auth: authData(framed.content.type).read(reader) };
  },
};

export interface PublicMessage {
  readonly content: FramedContent;
  readonly auth: AuthData;
  /** Of members' messages only. */
  readonly membershipTag: Uint8Array | null;
}

export const publicMessage: Codec<PublicMessage> = {
  write(writer, value) {
    framedContent.write(writer, value.content);
    authData(value.content.content.type).write(writer, value.auth);
    if (value.content.sender.type === MEMBER) opaque.write(writer, value.membershipTag!);
  },
  read(reader) {
    const framed = framedContent.read(reader);
    const auth = authData(framed.content.type).read(reader);
    return { content: framed, auth, membershipTag: framed.sender.type === MEMBER ? opaque.read(reader) : null };
  },
};

/** PrivateMessageContent: content, authentication, and zeros to the end. */
export function privateContent(type: Content['type']): Codec<{ content: Content; auth: AuthData; padding: number }> {
  const body = bodies[type] as Codec<object>;
  return {
    write(writer: Writer, value) {
      body.write(writer, value.content);
      authData(type).write(writer, value.auth);
      writer.bytes(new Uint8Array(value.padding));
    },
    read(reader: Reader) {
      const decoded = { type, ...body.read(reader) } as Content;
      const auth = authData(type).read(reader);
      const padding = reader.bytes(reader.remaining);
      checkPadding(padding);
      return { content: decoded, auth, padding: padding.length };
    },
  };
}

export type MlsMessage =
  | { readonly wireFormat: typeof PUBLIC_MESSAGE; readonly publicMessage: PublicMessage }
  | { readonly wireFormat: typeof PRIVATE_MESSAGE; readonly privateMessage: PrivateMessage }
  | { readonly wireFormat: typeof WELCOME; readonly welcome: Welcome }
  | { readonly wireFormat: typeof GROUP_INFO; readonly groupInfo: GroupInfo }
  | { readonly wireFormat: typeof KEY_PACKAGE; readonly keyPackage: KeyPackage };

const messageBody = variant<MlsMessage, 'wireFormat'>('wireFormat', u16, '6-wire-format', {
  [PUBLIC_MESSAGE]: struct<{ publicMessage: PublicMessage }>({ publicMessage }),
  [PRIVATE_MESSAGE]: struct<{ privateMessage: PrivateMessage }>({ privateMessage }),
  [WELCOME]: struct<{ welcome: Welcome }>({ welcome }),
  [GROUP_INFO]: struct<{ groupInfo: GroupInfo }>({ groupInfo }),
  [KEY_PACKAGE]: struct<{ keyPackage: KeyPackage }>({
    keyPackage: checked(keyPackage, '10-version', (value) => value.version === MLS10),
  }),
});

export const mlsMessage: Codec<MlsMessage> = {
  write(writer, value) {
    version.write(writer, MLS10);
    messageBody.write(writer, value);
  },
  read(reader) {
    version.read(reader);
    return messageBody.read(reader);
  },
};

export function encodeMessage(value: MlsMessage): Uint8Array {
  return encode(mlsMessage, value);
}
