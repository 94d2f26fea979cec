/** What a device pays one relay with (protocol.md section 2.9): its tokens, and which of them is on its way for what. */
import type { CardTokens } from '../core/events.ts';
import { hex } from '../crypto/bytes.ts';
import * as cbor from '../wire/cbor.ts';
import type { Request } from '../wire/messages.ts';

/** The table of purses, by relay. */
export const PURSE = 'client/purse';
const MIB = 2 ** 20;

/** What a request is for that a relay may want a token for; undefined where there is nothing to pay. */
export function payable(request: Request): string | undefined {
  switch (request.type) {
    case 'CreateTopic':
      return hex(request.writeSecret);
    case 'CreateInbox':
      return hex(request.readSecret);
    case 'PutKeyPackages':
      return hex(request.ownerSecret);
    case 'PutBlob': {
      const begun = Math.ceil(request.offset / MIB);
      if (begun * MIB < request.offset + request.part.length) return hex(request.id) + begun;
    }
  }
  return undefined;
}

export class Purse {
  /** Tokens of kind use that no request has, in the order of their coming. */
  use: Uint8Array[];
  /** Of kind join. */
  join: Uint8Array[];
  /** What cards brought and nobody has looked at yet: body and signature of a key list, or nothing; tokens. */
  cards: [keys: [] | [Uint8Array, Uint8Array], tokens: readonly Uint8Array[]][];
  /** Whether the relay has refused a request for want of a token. */
  wanted: boolean;
  /** Tokens on their way, by what they pay for: the same request again goes with the same token. */
  readonly #reserved = new Map<string, Uint8Array>();

  /** `row`: what `encode` made. */
  constructor(row: Uint8Array | null) {
    [this.use, this.join, this.cards, this.wanted] = (row ? cbor.decode(row) : [[], [], [], false]) as [
      Uint8Array[],
      Uint8Array[],
      Purse['cards'],
      boolean,
    ];
  }

  /** With tokens on their way: after a crash the relay may refuse one that it has taken, and no more is lost. */
  encode(): Uint8Array {
    return cbor.encode([[...this.#reserved.values(), ...this.use], this.join, this.cards as cbor.Value, this.wanted]);
  }

  /** What a card carried. */
  receive({ tokens = [], join, tokenKeys }: CardTokens): void {
    this.use.push(...tokens);
    if (join) this.join.push(join);
    this.cards.push([tokenKeys ? [tokenKeys.body, tokenKeys.signature] : [], tokens]);
  }

  /** The token that pays for this, which no other request gets; undefined where there is none. */
  reserve(what: string): Uint8Array | undefined {
    const token = this.#reserved.get(what) ?? this.use.shift();
    if (token) this.#reserved.set(what, token);
    return token;
  }

  /** The relay has seen it, and must not see it for anything else. */
  drop(what: string): void {
    this.#reserved.delete(what);
  }
}
