// Generated from spec/messages.toml by `python -m scripts.generate`; do not edit.
import { decoder, encoder } from './_messages.ts';
import type {
  Card,
  CardBody,
  CommitData,
  ContactRequestBody,
  ConversationInfo,
  DeviceListBody,
  EphemeralMessage,
  JoinInfo,
  Moved,
  MovedBody,
  ReAddBody,
  ReceiptBody,
  WelcomeMessage,
} from './_messages.ts';

export const encodeReceiptBody = /* @__PURE__ */ encoder<ReceiptBody>('ReceiptBody');
export const decodeDeviceListBody = /* @__PURE__ */ decoder<DeviceListBody>('DeviceListBody');
export const encodeConversationInfo = /* @__PURE__ */ encoder<ConversationInfo>('ConversationInfo');
export const encodeJoinInfo = /* @__PURE__ */ encoder<JoinInfo>('JoinInfo');
export const encodeCommitData = /* @__PURE__ */ encoder<CommitData>('CommitData');
export const decodeCommitData = /* @__PURE__ */ decoder<CommitData>('CommitData');
export const encodeMovedBody = /* @__PURE__ */ encoder<MovedBody>('MovedBody');
export const decodeMovedBody = /* @__PURE__ */ decoder<MovedBody>('MovedBody');
export const encodeMoved = /* @__PURE__ */ encoder<Moved>('Moved');
export const decodeMoved = /* @__PURE__ */ decoder<Moved>('Moved');
export const encodeEphemeralMessage = /* @__PURE__ */ encoder<EphemeralMessage>('EphemeralMessage');
export const decodeEphemeralMessage = /* @__PURE__ */ decoder<EphemeralMessage>('EphemeralMessage');
export const encodeCardBody = /* @__PURE__ */ encoder<CardBody>('CardBody');
export const encodeCard = /* @__PURE__ */ encoder<Card>('Card');
export const decodeContactRequestBody = /* @__PURE__ */ decoder<ContactRequestBody>('ContactRequestBody');
export const encodeWelcomeMessage = /* @__PURE__ */ encoder<WelcomeMessage>('WelcomeMessage');
export const decodeWelcomeMessage = /* @__PURE__ */ decoder<WelcomeMessage>('WelcomeMessage');
export const encodeReAddBody = /* @__PURE__ */ encoder<ReAddBody>('ReAddBody');
export const decodeReAddBody = /* @__PURE__ */ decoder<ReAddBody>('ReAddBody');
