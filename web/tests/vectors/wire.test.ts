/** Replays spec/vectors for the wire layer: what must be made, opened and refused, by rule. */
import { describe, expect, it } from 'vitest';
import * as blindrsa from '../../src/crypto/blindrsa.ts';
import { concat, hex, unhex } from '../../src/crypto/bytes.ts';
import { sha256 } from '../../src/crypto/hashes.ts';
import { DHKEM_X25519 } from '../../src/crypto/kem.ts';
import { XWING } from '../../src/crypto/xwing.ts';
import { compare, same } from '../../src/wire/bytes.ts';
import * as card from '../../src/wire/card.ts';
import * as cbor from '../../src/wire/cbor.ts';
import * as contactrequest from '../../src/wire/contactrequest.ts';
import * as credential from '../../src/wire/credential.ts';
import * as devicelists from '../../src/wire/devicelists.ts';
import * as ephemeral from '../../src/wire/ephemeral.ts';
import { WireError } from '../../src/wire/errors.ts';
import * as exchange from '../../src/wire/exchange.ts';
import * as files from '../../src/wire/files.ts';
import * as filestreams from '../../src/wire/filestreams.ts';
import * as invite from '../../src/wire/invite.ts';
import * as keypackages from '../../src/wire/keypackages.ts';
import * as keys from '../../src/wire/keys.ts';
import * as labels from '../../src/wire/labels.ts';
import * as linkbuilding from '../../src/wire/linkbuilding.ts';
import * as messages from '../../src/wire/messages.ts';
import * as later from '../../src/wire/messages_rest.ts';
import * as ohttp from '../../src/wire/ohttp.ts';
import * as padding from '../../src/wire/padding.ts';
import * as receipts from '../../src/wire/receipts.ts';
import * as record from '../../src/wire/record.ts';
import * as requests from '../../src/wire/requests.ts';
import * as safety from '../../src/wire/safety.ts';
import * as session from '../../src/wire/session.ts';
import * as takenpackages from '../../src/wire/takenpackages.ts';
import * as tokens from '../../src/wire/tokens.ts';
import { readLink } from '../support/links.ts';
import { asJson, Case, cases, fileNames, type Json, RecordedRandom } from './recorded.ts';

type Runner = (c: Case) => Promise<void>;

/** The rule that the action's WireError names; fails for no error and for any other. */
async function ruleOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof WireError) return error.rule;
    throw error;
  }
  return 'accepted';
}

async function refused(c: Case, action: () => unknown): Promise<void> {
  expect(await ruleOf(action)).toBe(c.rule);
}

/** What `action` makes of the recorded randomness is the case's `name`. */
async function made(
  c: Case,
  name: string,
  action: (random: RecordedRandom) => Promise<Uint8Array>,
  random = 'random',
): Promise<void> {
  const recorded = c.random(random);
  expect(hex(await action(recorded))).toBe(c.text(name));
  recorded.assertUsed();
}

const functions = { ...messages, ...later } as unknown as Record<string, ((value: unknown) => unknown) | undefined>;
const named = (name: string): ((value: unknown) => unknown) => {
  const found = functions[name];
  if (!found) throw new Error(`no function ${name}`);
  return found;
};
const labelNamed = (name: string): ((...inputs: (Uint8Array | number)[]) => Uint8Array) => {
  const camel = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return (labels as unknown as Record<string, (...inputs: (Uint8Array | number)[]) => Uint8Array>)[camel]!;
};

const pattern = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (7 * i + 3) & 255);

function* cut(data: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < data.length; at += length) yield data.subarray(at, at + length);
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return concat(...all);
}

interface Edit {
  readonly at: number;
  readonly hex?: string;
  readonly chunk?: number;
  readonly last?: boolean;
}

async function wrongBlob(c: Case, key: Uint8Array): Promise<Uint8Array> {
  const content = pattern(c.number('size'));
  const right = await collect(filestreams.sealFile(key, content.length, [content]));
  const blob = new Uint8Array(c.number('length'));
  blob.set(right.subarray(0, blob.length));
  for (const edit of c.list<Edit>('edits')) {
    const chunk = edit.chunk ?? 0;
    if (edit.hex !== undefined) blob[edit.at] = Number.parseInt(edit.hex, 16);
    else if (edit.last) {
      const plain = content.slice(chunk * files.CHUNK, (chunk + 1) * files.CHUNK);
      blob.set(await filestreams.sealChunk(key, chunk, true, plain), edit.at);
    } else blob.set(right.subarray(chunk * files.SEALED_CHUNK, (chunk + 1) * files.SEALED_CHUNK), edit.at);
  }
  return blob;
}

const config = (c: Case): messages.KeyConfig => ({
  id: c.number('key_id'),
  kem: XWING.id,
  publicKey: c.bytes('public_key'),
  notBefore: 0,
  notAfter: 0,
});
const relayKeys = (c: Case): Map<number, Uint8Array> => new Map([[c.number('key_id'), c.bytes('private_key')]]);

interface Frame {
  readonly from: 'client' | 'relay';
  readonly sealed: string;
  readonly plain?: string;
}

async function play(c: Case, client: session.ClientSession, relay: session.RelaySession): Promise<void> {
  const frames = c.list<Frame>('frames');
  for (const [number, json] of frames.entries()) {
    const frame = new Case(json as unknown as { [name: string]: Json });
    const sealed = frame.bytes('sealed');
    if (!frame.has('plain')) {
      const receive = (): Promise<unknown> => (json.from === 'relay' ? client.open(sealed) : relay.open(sealed));
      if (number === frames.length - 1) await refused(c, receive);
      else expect(await ruleOf(receive)).not.toBe('accepted');
    } else if (json.from === 'client') {
      const call = messages.decodeClientFrame(frame.bytes('plain'));
      expect(hex(await client.seal(call))).toBe(json.sealed);
      expect(await relay.open(sealed)).toEqual(call);
    } else {
      const reply = messages.decodeRelayFrame(frame.bytes('plain'));
      expect(hex(await relay.seal(reply))).toBe(json.sealed);
      expect(await client.open(sealed)).toEqual(reply);
    }
  }
}

async function leave(c: Case): Promise<void> {
  const proof = messages.decodeLeaveProof(c.bytes('data'));
  expect(await requests.verifyLeaveProof(c.bytes('group'), c.bytes('leaf'), proof)).toBe(c.rule === null);
  if (!c.has('seed')) return;
  expect(await requests.signLeaveProof(c.bytes('seed'), c.bytes('group'), proof.leaves)).toEqual(proof);
}

async function reAdd(c: Case): Promise<void> {
  const wish = { ...messages.decodeReAddRequest(c.bytes('data')) };
  if (c.rule) return refused(c, () => requests.verifyReAddRequest(wish));
  const body = later.decodeReAddBody(c.bytes('body'));
  expect(await requests.signReAddRequest(c.bytes('seed'), body)).toEqual(wish);
  expect(await requests.verifyReAddRequest(wish)).toEqual({ verified: true, ...body });
}

async function moved(c: Case): Promise<void> {
  const word = later.decodeMoved(c.bytes('data'));
  if (c.rule) return refused(c, () => requests.verifyMoved(word));
  const body = later.decodeMovedBody(c.bytes('body'));
  expect(await requests.signMoved(c.bytes('seed'), body)).toEqual(word);
  expect(await requests.verifyMoved(word)).toEqual({ verified: true, ...body });
}

const RUNNERS: Record<string, Runner> = {
  async cbor(c) {
    if (c.rule) return refused(c, () => cbor.decode(c.bytes('data')));
    expect(hex(cbor.encode(cbor.decode(c.bytes('data'))))).toBe(c.text('data'));
  },

  async messages(c) {
    const [decode, encode] = [named(`decode${c.text('type')}`), named(`encode${c.text('type')}`)];
    if (c.rule) return refused(c, () => decode(c.bytes('data')));
    const value = decode(c.bytes('data'));
    const json = asJson(value);
    expect(json).toEqual(c.json['value']);
    if (c.name.includes('unknown keys')) expect(asJson(decode(encode(value) as Uint8Array))).toEqual(json);
    else if ((value as { type?: string }).type === 'Unknown') expect(() => encode(value)).toThrow(WireError);
    else expect(hex(encode(value) as Uint8Array)).toBe(c.text('data'));
  },

  async padding(c) {
    const [sizes, width] = [c.list<number>('sizes'), c.number('length_size')];
    if (c.rule === 'padding-fit') return refused(c, () => padding.pad(c.bytes('data'), sizes, width));
    if (c.rule) return refused(c, () => padding.unpad(c.bytes('padded'), sizes, width));
    expect(hex(padding.pad(c.bytes('data'), sizes, width))).toBe(c.text('padded'));
    expect(hex(padding.unpad(c.bytes('padded'), sizes, width))).toBe(c.text('data'));
  },

  async labels(c) {
    const inputs = c.list('inputs').map((text) => new Case({ text }).bytes('text'));
    const suite = c.has('suite') ? [c.number('suite')] : [];
    const name = c.has('function') ? c.text('function') : c.name;
    expect(hex(labelNamed(name)(...inputs, ...suite))).toBe(c.text('output'));
  },

  async receipts(c) {
    const body = later.decodeReceiptBody(c.bytes('body'));
    const receipt = { position: c.number('position'), signature: c.bytes('signature') };
    expect(await receipts.verifyReceipt(c.bytes('identity'), body, receipt)).toBe(c.rule === null);
    if (c.has('seed')) expect(await receipts.signReceipt(c.bytes('seed'), body)).toEqual(receipt);
  },

  async links(c) {
    if (c.rule) return refused(c, () => readLink(c.text('text')));
    const opened = readLink(c.text('text'), c.has('base') ? c.text('base') : undefined);
    expect([opened.kind, opened.address.url]).toEqual([c.text('kind'), c.text('url')]);
    expect(asJson(opened.link)).toEqual(c.json['link']);
    expect(opened.address.identity).toEqual(opened.link.relay);
    if (!c.has('build')) return;
    const app = c.has('app') ? c.text('app') : opened.address.url;
    const built =
      opened.kind === 'invite' ? linkbuilding.buildInviteLink(app, opened.link) : linkbuilding.buildRelayLink(app, opened.link);
    expect(built).toBe(c.text('text'));
  },

  async safety(c) {
    if (c.rule) return refused(c, () => safety.parseSafetyQr(c.text('qr')));
    const [one, other, authenticator] = [c.bytes('one'), c.bytes('other'), c.bytes('epoch_authenticator')];
    expect(safety.safetyNumber(one, other, authenticator)).toEqual(c.list('groups'));
    expect(safety.safetyQr(one, other, authenticator)).toBe(c.text('qr'));
    const [low, high] = [one, other].sort(compare);
    expect(safety.parseSafetyQr(c.text('qr'))).toEqual({ low, high, epochAuthenticator: authenticator });
  },

  async records(c) {
    const [key, place, sealed] = [c.bytes('key'), c.bytes('place'), c.bytes('record')];
    if (c.rule) return refused(c, () => record.openRecord(key, place, sealed));
    const body = messages.decodeRecordBody(c.bytes('body'));
    await made(c, 'record', (random) => record.sealRecord(key, place, body, random));
    expect(await record.openRecord(key, place, sealed)).toEqual(body);
  },

  async 'contact-requests'(c) {
    const [id, inbox] = [c.bytes('card'), c.bytes('inbox')];
    const open = (): Promise<unknown> =>
      requests.openContactRequest(c.bytes('private_key'), id, inbox, c.bytes('record'));
    if (c.rule) return refused(c, open);
    const message = messages.decodeInboxMessage(c.bytes('message'));
    const key = c.bytes('public_key');
    await made(c, 'record', (random) => contactrequest.sealContactRequest(key, id, inbox, message, random));
    expect(await open()).toEqual(message);
  },

  async ephemeral(c) {
    const [key, topic, body] = [c.bytes('key'), c.bytes('topic'), c.bytes('body')];
    if (c.rule) return refused(c, () => ephemeral.openEphemeral(key, topic, body));
    const message = later.decodeEphemeralMessage(c.bytes('message'));
    await made(c, 'body', (random) => ephemeral.sealEphemeral(key, topic, message, random));
    expect(await ephemeral.openEphemeral(key, topic, body)).toEqual(message);
  },

  async files(c) {
    const size = c.number('size');
    if (!c.has('key')) {
      if (c.rule) return refused(c, () => files.blobSize(size));
      return expect(files.blobSize(size)).toBe(c.number('blob_size'));
    }
    const key = c.bytes('key');
    if (c.rule) {
      const blob = await wrongBlob(c, key);
      await refused(c, () => collect(filestreams.openFile(key, size, [blob])));
      await refused(c, () => collect(filestreams.openFile(key, size, cut(blob, 10_007))));
      return refused(c, () => files.openWhole(key, size, blob));
    }
    const content = pattern(size);
    const blob = await collect(filestreams.sealFile(key, size, cut(content, 9_973)));
    expect([blob.length, files.sealedSize(size)]).toEqual([c.number('blob_size'), c.number('sealed_size')]);
    expect(hex(sha256(blob))).toBe(c.text('blob_sha256'));
    expect(same(await collect(filestreams.openFile(key, size, cut(blob, 10_007))), content)).toBe(true);
    expect(same(await files.openWhole(key, size, blob), content)).toBe(true);
  },

  async 'key-packages'(c) {
    const [key, owner, sealed] = [c.bytes('key'), c.bytes('owner'), c.bytes('sealed')];
    if (c.rule) return refused(c, () => takenpackages.openKeyPackage(key, owner, sealed));
    const keyPackage = c.bytes('key_package');
    await made(c, 'sealed', (random) => keypackages.sealKeyPackage(key, owner, keyPackage, random));
    expect(await takenpackages.openKeyPackage(key, owner, sealed)).toEqual(keyPackage);
  },

  async cards(c) {
    const [secret, id] = [c.bytes('secret'), c.bytes('id')];
    const open = async (): Promise<card.VerifiedCard> =>
      card.verifyCard(await card.openCard(secret, id, c.bytes('blob')), c.number('now'));
    if (c.rule) return refused(c, open);
    const body = messages.decodeCardBody(c.bytes('body'));
    const signed = await invite.signCard(c.bytes('seed'), body);
    await made(c, 'blob', async (random) => (await invite.sealCard(secret, signed, random))[1]);
    expect(await open()).toEqual({ id, ...body });
  },

  async 'key-configs'(c) {
    const verify = (): Promise<keys.VerifiedKeyConfigs> =>
      keys.verifyKeyConfigs(c.bytes('identity'), c.bytes('data'), c.number('told'));
    if (c.rule) return refused(c, verify);
    const verified = await verify();
    expect(verified.newest.id).toBe(c.number('newest'));
    if (!c.has('seed')) return;
    expect(hex(await keys.signKeyConfigs(c.bytes('seed'), verified.configs))).toBe(c.text('data'));
  },

  async tokens(c) {
    const identity = c.has('identity') ? c.bytes('identity') : new Uint8Array(0);
    switch (c.text('kind')) {
      case 'member':
        expect(hex(tokens.memberId(c.bytes('secret')))).toBe(c.text('id'));
        return;
      case 'challenge':
        expect(hex(tokens.challengeDigest(identity, c.number('token_kind') as messages.TokenKind))).toBe(c.text('digest'));
        return;
      case 'spki':
        if (c.rule) return refused(c, () => tokens.decodeSpki(c.bytes('spki')));
        expect(hex(blindrsa.toBytes(tokens.decodeSpki(c.bytes('spki')).n, 256))).toBe(c.text('n'));
        expect(hex(tokens.keyId(c.bytes('spki')))).toBe(c.text('key_id'));
        return;
      case 'token': {
        const key = later.decodeTokenKey(c.bytes('key'));
        const random = c.random();
        const pending = await tokens.beginToken(identity, key, random);
        random.assertUsed();
        expect(hex(pending.blinding.blinded)).toBe(c.text('blinded'));
        const finish = (): Promise<Uint8Array> => tokens.finishToken(key, pending, c.bytes('blind_signature'));
        if (c.rule) return refused(c, finish);
        expect(hex(await finish())).toBe(c.text('token'));
        return;
      }
      case 'verify': {
        if (c.rule === 'token') return refused(c, () => tokens.parseToken(c.bytes('token')));
        const key = tokens.decodeSpki(c.bytes('spki'));
        const kind = c.number('token_kind') as messages.TokenKind;
        const valid = await tokens.verifyToken(identity, kind, key, tokens.parseToken(c.bytes('token')));
        expect(valid).toBe(c.rule === null);
        return;
      }
      case 'period': {
        const verified = await tokens.verifyTokenKeys(identity, messages.decodeSignedTokenKeys(c.bytes('signed')));
        const check = (): void => tokens.checkPeriod(verified, c.number('time'));
        if (c.rule) return refused(c, check);
        check();
        return;
      }
      default: {
        expect(c.text('kind')).toBe('keys');
        const signed = messages.decodeSignedTokenKeys(c.bytes('signed'));
        const seen = c.list('seen').map((key) => later.decodeTokenKey(unhex(key)));
        if (c.rule) return refused(c, () => tokens.verifyTokenKeys(identity, signed, seen));
        const verified = await tokens.verifyTokenKeys(identity, signed, seen);
        const newest = tokens.newestKey(verified, messages.TokenKind.use);
        expect(hex(tokens.keyId(newest.spki))).toBe(c.text('newest'));
        expect(await tokens.signTokenKeys(c.bytes('seed'), verified.keys)).toEqual(signed);
      }
    }
  },

  async credentials(c) {
    const signatureKey = c.bytes('signature_key');
    const verify = (): Promise<unknown> => credential.verifyDeviceCredential(c.bytes('data'), signatureKey);
    if (c.rule) return refused(c, verify);
    const listNumber = c.number('list_number');
    const credentialBytes = await credential.makeDeviceCredential(c.bytes('seed'), signatureKey, listNumber);
    expect(hex(credentialBytes)).toBe(c.text('data'));
    expect(await verify()).toEqual({ identity: c.bytes('identity'), signatureKey, listNumber });
  },

  async 'device-lists'(c) {
    const identity = c.bytes('identity');
    const list = messages.decodeDeviceList(c.bytes('list'));
    const verify = async (): Promise<devicelists.VerifiedDeviceList> => {
      const next = await devicelists.verifyDeviceList(identity, list);
      if (!c.has('known')) return next;
      const known = messages.decodeDeviceList(c.bytes('known'));
      devicelists.checkDeviceListFollows(await devicelists.verifyDeviceList(identity, known), next);
      return next;
    };
    if (c.rule) return refused(c, verify);
    const verified = await verify();
    expect(verified.number).toBe(c.number('number'));
    expect(verified.devices.every((device) => devicelists.namesDevice(verified, device.signatureKey))).toBe(true);
    expect(devicelists.namesDevice(verified, identity)).toBe(false);
    if (!c.has('seed')) return;
    const body = later.decodeDeviceListBody(c.bytes('body'));
    expect(await credential.signDeviceList(c.bytes('seed'), body)).toEqual(list);
  },

  async requests(c) {
    if (c.text('kind') === 'leave') return leave(c);
    if (c.text('kind') === 're-add') return reAdd(c);
    if (c.text('kind') === 'moved') return moved(c);
    const request = messages.decodeContactRequest(c.bytes('data'));
    const verify = (): Promise<requests.VerifiedContactRequest> =>
      requests.verifyContactRequest(c.bytes('card'), request);
    if (c.rule) return refused(c, verify);
    const body = later.decodeContactRequestBody(c.bytes('body'));
    expect(await contactrequest.signContactRequest(c.bytes('seed'), body)).toEqual(request);
    const { identity, name, text, reach } = body;
    const devices = await devicelists.verifyDeviceList(identity, body.devices);
    expect(await verify()).toEqual({ identity, name, text, reach, devices });
  },

  async exchanges(c) {
    if (!c.has('exchange')) return refused(c, () => exchange.openRequest(relayKeys(c), c.bytes('request')));
    const random = c.random();
    const wanted = messages.decodeExchange(c.bytes('exchange'));
    const [request, opener] = await exchange.sealRequest(config(c), wanted, random);
    random.assertUsed();
    if (c.rule) return refused(c, () => opener.open(c.bytes('response')));
    expect(hex(request)).toBe(c.text('request'));
    const [opened, sealer, enc] = await exchange.openRequest(relayKeys(c), request);
    expect([opened, hex(enc)]).toEqual([wanted, c.text('enc')]);
    const answer = messages.decodeAnswer(c.bytes('answer'));
    await made(c, 'response', (drawn) => sealer.seal(answer, drawn), 'relay_random');
    expect(await opener.open(c.bytes('response'))).toEqual(answer);
  },

  async sessions(c) {
    const at = c.has('at') ? c.text('at') : 'frames';
    if (at === 'hello') {
      return refused(c, async () => {
        const opened = await session.openHello(relayKeys(c), c.bytes('hello'));
        await opened.accept(c.random('relay_random'));
      });
    }
    const random = c.random();
    const [hello, handshake] = await session.startSession(config(c), c.number('time'), random);
    random.assertUsed();
    expect(hex(hello)).toBe(c.text('hello'));
    if (at === 'accept') return refused(c, () => handshake.finish(c.bytes('accept')));
    const opened = await session.openHello(relayKeys(c), hello);
    expect([opened.hello.time, hex(opened.enc)]).toEqual([c.number('time'), c.text('enc')]);
    const relayRandom = c.random('relay_random');
    const [accept, relay] = await opened.accept(relayRandom);
    relayRandom.assertUsed();
    expect(hex(accept) === c.text('accept')).toBe(!c.name.startsWith('accept'));
    await play(c, await handshake.finish(c.bytes('accept')), relay);
  },

  async rfc9458(c) {
    const kem = [DHKEM_X25519, XWING].find(({ id }) => id === c.number('kem'))!;
    const [privateKey, request] = [c.bytes('private_key'), c.bytes('request')];
    expect(hex(await kem.publicKey(privateKey))).toBe(c.text('public_key'));
    expect(request.slice(0, ohttp.HEADER_SIZE)).toEqual(ohttp.header(kem, c.number('key_id')));
    const [enc, sealed, context] = await ohttp.openSetup(kem, privateKey, c.text('request_label'), request);
    expect(hex(await context.open(new Uint8Array(0), sealed))).toBe(c.text('request_plaintext'));
    const secret = ohttp.responseSecret(context, c.text('response_label'));
    expect(hex(secret)).toBe(c.text('exported_secret'));
    const random = new RecordedRandom({ bytes: c.text('response_nonce'), encapsulations: [] });
    const plaintext = c.bytes('response_plaintext');
    expect(hex(await ohttp.sealResponse(secret, enc, plaintext, random))).toBe(c.text('response'));
    expect(await ohttp.openResponse(secret, enc, c.bytes('response'))).toEqual(plaintext);
  },
};

it('has a runner for every file', () => {
  expect(Object.keys(RUNNERS).sort()).toEqual(fileNames());
});

for (const [name, run] of Object.entries(RUNNERS)) {
  describe(name, () => {
    for (const c of cases(name)) it(c.name, () => run(c));
  });
}
