"""What an operator can make of the tokens that real clients are issued and spend, on a busy day behind a bridge: of their
bytes nothing; of times who became which member, and not who spends what."""

from __future__ import annotations

from pathlib import Path

import pytest

from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.tokenkeys import derive_key
from polynya.wire import messages as m
from polynya.wire.tokens import member_id, parse_token
from tests.client.payers import REFILLING, purse_of
from tests.hostile.crowd import NAMES
from tests.knows import linking
from tests.knows.day import PEOPLE
from tests.knows.test_linking import numbers, watched_day
from tests.relay.test_tokens_unlinked import Told, explaining, link

SAMPLE = 12
"""Spent tokens that are held against every signature: 12 x 400 pairs are three seconds."""


async def test_no_token_that_a_client_spends_is_linked_to_its_issue_by_its_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with watched_day(tmp_path) as (here, day):
        seen = here.operator.seen
        truth = numbers(seen)
        clients = {name: day.people[called] for name, called in zip(NAMES, PEOPLE, strict=True)}
        purses = {name: purse_of(client) for name, client in clients.items()}

        # What asks for tokens comes over no session, and by no secret that is shown elsewhere.
        asked = [each for each in seen if isinstance(each.request, REFILLING)]
        assert asked and {each.connection for each in asked} == {0}
        secrets = {purse.secret or b"" for purse in purses.values()}
        assert set(linking.asking(seen)) == secrets
        others = b"".join(m.encode_request(e.request) for e in seen if not isinstance(e.request, REFILLING))
        assert not any(secret in others for secret in secrets)

        # Every signature may be that of every token: an r explains each pair, and none stands out.
        signed, spent = linking.signed(seen), linking.spent(seen)
        assert len(signed) > 300 and len(set(spent)) == len(spent) > 40
        some = spent[:: len(spent) // SAMPLE][:SAMPLE]
        told = Told()
        told.blinded, told.signatures = [list(each) for each in zip(*signed, strict=True)]
        told.tokens = some
        newest = max(
            (key for key in purses["anna"].seen if key.kind == m.TokenKind.USE), key=lambda k: k.not_before
        )
        seed = (tmp_path / "relay" / IDENTITY_FILE).read_bytes()
        key = derive_key(seed, m.TokenKind.USE, newest.not_before)
        for blinded, signature in signed[::20]:
            assert all(explaining(key, blinded, signature, token) is not None for token in some)
        assert link(told, key) == []

        # Times: who comes by the relay's link needs tokens at once, and so shows which member it is.
        first = {name: min(connections) for name, connections in truth.items()}
        member_of = {purse.secret or b"": first[name] for name, purse in purses.items()}
        guessed = linking.became(seen)
        right = sum(guessed.get(secret) == person for secret, person in member_of.items())
        with capsys.disabled():
            print(f"\n  {right:>5}  of {len(member_of)} newcomers known as members by the time of joining")
            print(f"  {len(signed):>5}  tokens issued, {len(spent)} spent; none linked by its bytes")
        assert right == len(member_of)
        # What is kept of members holds neither: ids and days.
        assert {member_id(secret) for secret in secrets}.isdisjoint(day.known.values())
        assert len({parse_token(token).key_id for token in spent}) == 1, "all of one key"
