"""That a token says nothing of who it was issued to, held against all that the relay holds and has seen."""

from __future__ import annotations

import builtins
import logging
import os
import sqlite3
from collections import Counter
from math import gcd
from pathlib import Path

import pytest

from polynya.crypto.hashes import sha256
from polynya.crypto.random import Random
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.store.sqlite import DATABASE
from polynya.relay.tokenkeys import PrivateKey, derive_key
from polynya.wire.labels import topic_id
from polynya.wire.messages import CreateTopic, Done, JoinRelay, TokenKind, TokensIssued
from polynya.wire.tokens import member_id, parse_token
from tests.relay.client import RANDOM, Client, expect
from tests.relay.purse import Purse
from tests.support.relay import running_relay

MEMBERS, EACH = 3, 4
SMALL = 1 << 1_024
"""An r that is drawn from 2,048 bits is below this once in 2^1024."""


class Told:
    """Everything that a relay has: what it was asked for and answered, in order; what was spent, in order; its keys."""

    def __init__(self) -> None:
        self.blinded: list[bytes] = []
        self.signatures: list[bytes] = []
        self.tokens: list[bytes] = []


def explaining(key: PrivateKey, blinded: bytes, signature: bytes, token: bytes) -> int | None:
    """The r with which this blinded message became this token; None where there is none. It follows from what both sides
    see: the private key adds nothing."""
    n, e = key.public.n, key.public.e
    message, answer = int.from_bytes(blinded, "big"), int.from_bytes(signature, "big")
    unblinded = int.from_bytes(parse_token(token).authenticator, "big")
    representative = pow(unblinded, e, n)
    r = answer * pow(unblinded, -1, n) % n
    explains = gcd(r, n) == 1 and representative * pow(r, e, n) % n == message
    return r if explains else None


def by_private_key(key: PrivateKey, blinded: bytes, token: bytes) -> int:
    """The same r: what is left of the blinded message over the token's, to the power of d."""
    n = key.public.n
    d = pow(key.public.e, -1, int((key.p - 1) * (key.q - 1)))
    unblinded = int.from_bytes(parse_token(token).authenticator, "big")
    message = int.from_bytes(blinded, "big")
    return pow(message * pow(unblinded, -key.public.e, n) % n, d, n)


def link(told: Told, key: PrivateKey) -> list[tuple[int, int]]:
    """(issued, spent) pairs that stand out: their r is one that nobody draws, or the same as another pair's."""
    found: dict[tuple[int, int], int] = {}
    for issued, (blinded, signature) in enumerate(zip(told.blinded, told.signatures, strict=True)):
        for spent, token in enumerate(told.tokens):
            r = explaining(key, blinded, signature, token)
            if r is not None:
                found[issued, spent] = r
    often = Counter(found.values())
    return [pair for pair, r in found.items() if r < SMALL or often[r] > 1]


class NotBlinding:
    """Draws the same r for every token: 1, or another."""

    def __init__(self, r: int) -> None:
        self.r = r

    def bytes(self, n: int) -> builtins.bytes:
        return self.r.to_bytes(n, "big") if n == 256 else os.urandom(n)

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        raise AssertionError


async def observed(data: Path, random: Random) -> tuple[Told, PrivateKey, list[tuple[int, int]]]:
    """A relay's life with several members whose tokens are spent in another order; what it knows; and what it was not
    told: which token came of which request."""
    told, truth = Told(), []
    async with running_relay(data, tokens="required", local="off") as running:
        client = Client(running.address, running.identity)
        purses = [Purse(client) for _ in range(MEMBERS)]
        waiting: list[tuple[int, bytes]] = []
        for purse in purses:
            expect(Done, await client.exchange(JoinRelay(purse.secret)))
            pending = await purse.begin(EACH, random=random)
            issued = expect(TokensIssued, await client.exchange(pending.request))
            first = len(told.blinded)
            told.blinded += pending.request.blinded
            told.signatures += issued.signatures
            waiting += enumerate(pending.finish(issued), first)
        waiting.sort(key=lambda one: sha256(one[1]))
        for number, token in waiting:
            expect(Done, await client.exchange(CreateTopic(os.urandom(32), 30, token)))
            truth.append((number, len(told.tokens)))
            told.tokens.append(token)
        key = (await purses[0].keys()).newest(TokenKind.USE)
        await client.close()
    private = derive_key((data / IDENTITY_FILE).read_bytes(), TokenKind.USE, key.not_before)
    assert sha256(key.spki) == parse_token(told.tokens[0]).key_id, "this is the key that signed"
    return told, private, truth


async def test_every_token_may_have_come_of_every_request(tmp_path: Path) -> None:
    """For each pair there is exactly one r that explains it, and the client draws all r alike: whatever the relay
    holds, and however long it computes, each request is as likely as any other."""
    told, key, truth = await observed(tmp_path / "data", RANDOM)
    assert len(truth) == len(told.tokens) == len(told.blinded) == MEMBERS * EACH
    for blinded, signature in zip(told.blinded, told.signatures, strict=True):
        for token in told.tokens:
            assert explaining(key, blinded, signature, token) is not None
    first = told.blinded[0], told.signatures[0], told.tokens[0]
    assert explaining(key, *first) == by_private_key(key, first[0], first[2])
    assert link(told, key) == []


async def test_the_same_look_links_tokens_of_a_client_that_does_not_blind(tmp_path: Path) -> None:
    told, key, truth = await observed(tmp_path / "data", NotBlinding(1))
    assert sorted(link(told, key)) == sorted(truth)


async def test_the_same_look_links_tokens_of_a_client_that_uses_an_r_again(tmp_path: Path) -> None:
    told, key, truth = await observed(tmp_path / "data", NotBlinding((1 << 2_047) // 3))
    assert sorted(link(told, key)) == sorted(truth)


async def test_what_is_stored_of_a_token_stands_beside_nothing_of_a_member(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Spent tokens: a nonce and a hash, in no order of time. Logs and metrics have nothing of tokens or members."""
    caplog.set_level(logging.DEBUG)
    async with running_relay(tmp_path / "data", tokens="required", local="off") as running:
        client = Client(running.address, running.identity)
        purse, secret = Purse(client), os.urandom(32)
        expect(Done, await client.exchange(JoinRelay(purse.secret)))
        (token, spare) = await purse.tokens(2)
        expect(Done, await client.exchange(CreateTopic(secret, 30, token)))
        await client.exchange(CreateTopic(os.urandom(32), 30, token))
        await client.exchange(JoinRelay(os.urandom(32), spare))
        metrics = running.relay.metrics.render({})
        await client.close()
    db = sqlite3.connect(tmp_path / "data" / DATABASE)
    columns = {
        table: {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        for table in ("spent_tokens", "members", "allowances", "joins")
    }
    assert columns == {
        "spent_tokens": {"key", "nonce", "request"},
        "members": {"number", "id", "invited", "joined", "used"},
        "allowances": {"member", "kind", "left", "day", "request"},
        "joins": {"one", "day", "members", "open"},
    }
    dump = "\n".join(db.iterdump()).lower()
    db.close()
    nonce = parse_token(token).nonce.hex()
    assert dump.count(nonce) == 1
    assert parse_token(spare).nonce.hex() not in dump
    assert parse_token(token).authenticator.hex() not in dump
    line = next(line for line in dump.splitlines() if nonce in line)
    request = line.split("x'")[2][:32]
    assert dump.count(request) == 1
    said = metrics + "\n".join(r.getMessage() + (r.exc_text or "") for r in caplog.records)
    for one in (token, spare, purse.secret, member_id(purse.secret), secret, topic_id(secret)):
        for piece in (one.hex()[:16], repr(one[:8])[2:-1]):
            assert piece not in said
    assert "member" not in metrics.replace("no-member", "")
