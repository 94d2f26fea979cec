"""Vectors of tokens (protocol, section 2.9); `kind` says what a case is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from polynya.crypto import signature
from polynya.relay.tokenkeys import blind_sign, derive_key
from polynya.wire import labels, tokens
from polynya.wire.messages import (
    TOKEN_KEY_LIFETIME,
    TOKEN_KEY_PERIOD,
    SignedTokenKeys,
    TokenKey,
    TokenKind,
    encode_signed_token_keys,
    encode_token_key,
)
from scripts.vectors.source import Case, Recorder, flipped, secret

SEED = secret("relay identity")
IDENTITY = signature.public_key(SEED)
START = 740 * TOKEN_KEY_PERIOD


def token_key(kind: TokenKind, start: int = START, seed: bytes = SEED) -> TokenKey:
    spki = tokens.encode_spki(derive_key(seed, kind, start).public.n)
    return TokenKey(kind, spki, start, start + TOKEN_KEY_LIFETIME)


def token_cases(new: Callable[[str], Recorder]) -> Iterator[Case]:
    use, join = token_key(TokenKind.USE), token_key(TokenKind.JOIN)
    yield {
        "name": "member",
        "kind": "member",
        "secret": secret("member").hex(),
        "id": tokens.member_id(secret("member")).hex(),
        "rule": None,
    }
    for kind in TokenKind:
        digest = tokens.challenge_digest(IDENTITY, kind)
        yield {
            "name": f"challenge: {kind.name.lower()}",
            "kind": "challenge",
            "identity": IDENTITY.hex(),
            "token_kind": int(kind),
            "digest": digest.hex(),
            "rule": None,
        }
    yield from _spki_cases(use.spki)
    made: dict[TokenKind, bytes] = {}
    for key in (use, join):
        name = key.kind.name.lower()
        recorder = new(f"token {name}")
        pending = tokens.begin_token(IDENTITY, key, recorder)
        private = derive_key(SEED, key.kind, START)
        blind_signature = blind_sign(private, pending.blinding.blinded, new("masks"))
        made[key.kind] = tokens.finish_token(key, pending, blind_signature)
        base = {
            "kind": "token",
            "identity": IDENTITY.hex(),
            "key": encode_token_key(key).hex(),
            "random": recorder.record(),
            "blinded": pending.blinding.blinded.hex(),
        }
        yield {
            "name": f"token: {name}",
            **base,
            "blind_signature": blind_signature.hex(),
            "token": made[key.kind].hex(),
            "rule": None,
        }
        wrong = {
            "bit of the signature": flipped(blind_signature, -1),
            "too short": blind_signature[1:],
            "the modulus": private.public.n.to_bytes(256, "big"),
            "zero": bytes(256),
        }
        for what, answer in wrong.items():
            yield {
                "name": f"token: {name}, {what}",
                **base,
                "blind_signature": answer.hex(),
                "rule": "token-signature",
            }
    yield from _verify_cases(made[TokenKind.USE], use, join)
    yield from _key_cases(use, join)


def _spki_cases(spki: bytes) -> Iterator[Case]:
    yield {
        "name": "spki",
        "kind": "spki",
        "spki": spki.hex(),
        "n": spki[-261:-5].hex(),
        "key_id": tokens.key_id(spki).hex(),
        "rule": None,
    }
    head, n, tail = spki[:-261], spki[-261:-5], spki[-5:]
    wrong = {
        "nothing": b"",
        "a byte more": spki + b"\0",
        "a byte less": spki[:-1],
        "another hash": spki.replace(bytes.fromhex("0402"), bytes.fromhex("0401"), 1),
        "an even modulus": head + flipped(n, -1) + tail,
        "2,047 bits": head + bytes([n[0] & 0x7F]) + n[1:] + tail,
        "exponent 3": head + n + bytes.fromhex("0203000003"),
        "another algorithm": flipped(spki, 14),
        "a longer modulus": head + b"\0" + n + tail,
    }
    for name, data in wrong.items():
        yield {"name": f"spki: {name}", "kind": "spki", "spki": data.hex(), "rule": "token-key"}


def _verify_cases(token: bytes, use: TokenKey, join: TokenKey) -> Iterator[Case]:
    def case(
        name: str, token: bytes, rule: str | None, key: TokenKey = use, kind: TokenKind = TokenKind.USE
    ) -> Case:
        return {
            "name": f"verify: {name}",
            "kind": "verify",
            "identity": IDENTITY.hex(),
            "token_kind": int(kind),
            "spki": key.spki.hex(),
            "token": token.hex(),
            "rule": rule,
        }

    yield case("use", token, None)
    yield case("as another kind", token, "token-verify", kind=TokenKind.JOIN)
    yield case("another key", token, "token-verify", key=join)
    for part, at in (("nonce", 2), ("challenge", 34), ("key id", 66), ("authenticator", -1)):
        yield case(f"bit of the {part}", flipped(token, at), "token-verify")
    yield case("another type", b"\0\1" + token[2:], "token")
    yield case("a byte more", token + b"\0", "token")
    yield case("a byte less", token[:-1], "token")
    foreign = case("another relay", token, "token-verify")
    yield {**foreign, "identity": signature.public_key(secret("x")).hex()}


def _key_cases(use: TokenKey, join: TokenKey) -> Iterator[Case]:
    former = token_key(TokenKind.USE, START - TOKEN_KEY_PERIOD)
    other = token_key(TokenKind.USE, seed=secret("x"))
    good = tokens.sign_token_keys(SEED, [use, join, former])

    def case(name: str, signed: SignedTokenKeys, rule: str | None, *seen: TokenKey) -> Case:
        return {
            "name": f"keys: {name}",
            "kind": "keys",
            "identity": IDENTITY.hex(),
            "signed": encode_signed_token_keys(signed).hex(),
            "seen": [encode_token_key(key).hex() for key in seen],
            "rule": rule,
        }

    newest = {"seed": SEED.hex(), "newest": tokens.key_id(use.spki).hex()}
    yield {**case("three", good, None), **newest}
    gone = token_key(TokenKind.JOIN, START - 5 * TOKEN_KEY_PERIOD)
    yield {**case("seen before", good, None, use, former, gone), **newest}
    yield case("another one seen", good, "token-keys-differ", join, other)
    lists: dict[str, tuple[list[TokenKey], str]] = {
        "no join key": ([use, former], "token-keys-none"),
        "nothing": ([], "token-keys-none"),
        "two for one place": ([use, join, other], "token-keys-doubled"),
        "the same twice": ([use, join, use], "token-keys-doubled"),
        "a short life": ([use, replace(join, not_after=START + TOKEN_KEY_PERIOD)], "token-keys-period"),
        "a start between": (
            [use, replace(join, not_before=START + 1, not_after=START + 1 + TOKEN_KEY_LIFETIME)],
            "token-keys-period",
        ),
        "a key of another form": ([use, replace(join, spki=join.spki[:-1])], "token-key"),
    }
    for name, (keys, rule) in lists.items():
        yield case(name, tokens.sign_token_keys(SEED, keys), rule)
    turned = SignedTokenKeys(good.body, flipped(good.signature, 7))
    yield case("bit of the signature", turned, "token-keys-signature")
    label = SignedTokenKeys(good.body, signature.sign(SEED, labels.signed_bytes("keys", good.body)))
    yield case("another label", label, "token-keys-signature")
    stranger = tokens.sign_token_keys(secret("x"), [use, join])
    yield case("another relay's", stranger, "token-keys-signature")
    broken = SignedTokenKeys(b"\xff", signature.sign(SEED, labels.signed_bytes("token keys", b"\xff")))
    yield case("no list", broken, "cbor-type")
    # What a relay tells with its list: within a day of the newest keys' period.
    day, end = tokens.TURN, START + TOKEN_KEY_PERIOD
    for time in (START - day - 1, START - day, START, end + day - 1, end + day):
        refusal = None if START - day <= time < end + day else "token-keys-period"
        yield {**case(f"told at {time}", good, refusal), "kind": "period", "time": time}
    late_join = tokens.sign_token_keys(SEED, [token_key(TokenKind.USE, end), join])
    yield {
        **case("one kind of another time", late_join, "token-keys-period"),
        "kind": "period",
        "time": end + day,
    }
