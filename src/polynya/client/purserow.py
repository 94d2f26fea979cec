"""A purse as the row that the client keeps of it."""

from __future__ import annotations

from typing import Any

from polynya.client.purse import Held, Pending, Purse
from polynya.crypto.blindrsa import Blinding
from polynya.wire import cbor
from polynya.wire.errors import WireError
from polynya.wire.messages import SignedTokenKeys, TokenKey, TokenKind
from polynya.wire.tokens import KEY_BYTES, PendingToken


def encode_purse(purse: Purse) -> bytes:
    """Reservations are not in it: after a crash a token may be shown for another request, and be refused."""
    pending, signed = purse.pending, purse.signed
    return cbor.encode(
        [
            [purse.is_wanted, purse.keys_differ, purse.is_member, purse.may_invite],
            purse.secret or b"",
            [[held.token, held.shared] for held in purse.stock],
            list(purse.joins),
            [_key(key) for key in purse.seen],
            [] if signed is None else [signed.body, signed.signature],
            [] if pending is None else [_key(pending.key), [_token(each) for each in pending.tokens]],
            [] if purse.due is None else [purse.due],
        ]
    )


def decode_purse(relay: bytes, row: bytes | None) -> Purse:
    """An empty one where there is no row, or one that cannot be read: the relay issues others."""
    if row is not None:
        try:
            return _filled(Purse(relay), cbor.decode(row))
        except (WireError, ValueError, TypeError):
            pass
    return Purse(relay)


def _filled(purse: Purse, value: Any) -> Purse:
    flags, secret, stock, joins, seen, signed, pending, due = value
    purse.is_wanted, purse.keys_differ, purse.is_member, purse.may_invite = flags
    purse.secret = secret or None
    purse.stock = [Held(token, shared) for token, shared in stock]
    purse.joins = list(joins)
    purse.seen = tuple(_token_key(key) for key in seen)
    purse.signed = SignedTokenKeys(*signed) if signed else None
    if pending:
        key, tokens = pending
        purse.pending = Pending(_token_key(key), tuple(_pending_token(*each) for each in tokens))
    purse.due = due[0] if due else None
    return purse


def _key(key: TokenKey) -> list[cbor.Value]:
    return [int(key.kind), key.spki, key.not_before, key.not_after]


def _token_key(value: Any) -> TokenKey:
    kind, spki, not_before, not_after = value
    return TokenKey(TokenKind(kind), spki, not_before, not_after)


def _token(token: PendingToken) -> list[cbor.Value]:
    blinding = token.blinding
    return [token.signed, blinding.blinded, blinding.inverse.to_bytes(KEY_BYTES, "big")]


def _pending_token(signed: bytes, blinded: bytes, inverse: bytes) -> PendingToken:
    return PendingToken(signed, Blinding(blinded, int.from_bytes(inverse, "big")))
