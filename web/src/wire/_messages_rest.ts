// Generated from spec/messages.toml by `python -m scripts.generate`; do not edit.
import { codec } from './codec.ts';
import { decoder, encoder } from './_messages.ts';
import type {
  Card,
  CardBody,
  CommitData,
  ContactRequestBody,
  ConversationInfo,
  DeviceListBody,
  EphemeralContent,
  EphemeralMessage,
  JoinInfo,
  Moved,
  MovedBody,
  ReAddBody,
  ReceiptBody,
  TokenKey,
  TokenKeyList,
  Typing,
  WelcomeMessage,
} from './_messages.ts';

const later = /* @__PURE__ */ codec(`TokenKey kind u1:2,spki b:512,notBefore u,notAfter u
TokenKeyList keys [TokenKey]8
ReceiptBody topic b32,slot b16,position u:65535,seq u,recordHash b32,blobs [b32]4?
CommitData leaves [LeaveProof]64?
LeaveProof identity b32,leaves [b32]16,signature b64
MovedBody group b16,epoch u,identity b32,groupInfo b:4194304,welcome b:4194304?
Moved body b:8388864,signature b64
Typing !~active f
EphemeralMessage leaf u:65535,sent u,content EphemeralContent
ReAddBody group b16,identity b32,epoch u,keyPackage b:3584,time u
EphemeralContent ~=Typing`);

export const encodeTokenKey = /* @__PURE__ */ later.encoder<TokenKey>('TokenKey');
export const decodeTokenKey = /* @__PURE__ */ later.decoder<TokenKey>('TokenKey');
export const encodeTokenKeyList = /* @__PURE__ */ later.encoder<TokenKeyList>('TokenKeyList');
export const decodeTokenKeyList = /* @__PURE__ */ later.decoder<TokenKeyList>('TokenKeyList');
export const encodeReceiptBody = /* @__PURE__ */ later.encoder<ReceiptBody>('ReceiptBody');
export const decodeReceiptBody = /* @__PURE__ */ later.decoder<ReceiptBody>('ReceiptBody');
export const decodeDeviceListBody = /* @__PURE__ */ decoder<DeviceListBody>('DeviceListBody');
export const encodeConversationInfo = /* @__PURE__ */ encoder<ConversationInfo>('ConversationInfo');
export const encodeJoinInfo = /* @__PURE__ */ encoder<JoinInfo>('JoinInfo');
export const encodeCommitData = /* @__PURE__ */ later.encoder<CommitData>('CommitData');
export const decodeCommitData = /* @__PURE__ */ later.decoder<CommitData>('CommitData');
export const encodeMovedBody = /* @__PURE__ */ later.encoder<MovedBody>('MovedBody');
export const decodeMovedBody = /* @__PURE__ */ later.decoder<MovedBody>('MovedBody');
export const encodeMoved = /* @__PURE__ */ later.encoder<Moved>('Moved');
export const decodeMoved = /* @__PURE__ */ later.decoder<Moved>('Moved');
export const encodeTyping = /* @__PURE__ */ later.encoder<Typing>('Typing');
export const decodeTyping = /* @__PURE__ */ later.decoder<Typing>('Typing');
export const encodeEphemeralMessage = /* @__PURE__ */ later.encoder<EphemeralMessage>('EphemeralMessage');
export const decodeEphemeralMessage = /* @__PURE__ */ later.decoder<EphemeralMessage>('EphemeralMessage');
export const encodeCardBody = /* @__PURE__ */ encoder<CardBody>('CardBody');
export const encodeCard = /* @__PURE__ */ encoder<Card>('Card');
export const decodeContactRequestBody = /* @__PURE__ */ decoder<ContactRequestBody>('ContactRequestBody');
export const encodeWelcomeMessage = /* @__PURE__ */ encoder<WelcomeMessage>('WelcomeMessage');
export const decodeWelcomeMessage = /* @__PURE__ */ decoder<WelcomeMessage>('WelcomeMessage');
export const encodeReAddBody = /* @__PURE__ */ later.encoder<ReAddBody>('ReAddBody');
export const decodeReAddBody = /* @__PURE__ */ later.decoder<ReAddBody>('ReAddBody');
export const encodeEphemeralContent = /* @__PURE__ */ later.encoder<EphemeralContent>('EphemeralContent');
export const decodeEphemeralContent = /* @__PURE__ */ later.decoder<EphemeralContent>('EphemeralContent');
