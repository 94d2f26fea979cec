"""MLS groups whose members run Python and TypeScript: the same bytes, the same epochs, the same verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.interop.peers import EXTENSION, Language, Python, RefusedError, TypeScript
from tests.support.seeded import SeededRandom

NOW = 1_800_000_000_000
X25519, X_WING = 0x0001, 0xF001
GROUP_ID = b"interop".hex()

AGREED = (
    "epoch",
    "treeHash",
    "tree",
    "transcript",
    "authenticator",
    "resumption",
    "exported",
    "members",
    "extensions",
)


@pytest.fixture(scope="module")
def typescript() -> Iterator[TypeScript]:
    peer = TypeScript()
    yield peer
    peer.close()


class Club:
    """Members by name, each in its language, who all see every commit; `prefix` tells clubs apart."""

    def __init__(self, languages: dict[str, Language], prefix: str, suite: int = X25519) -> None:
        self.languages = languages
        self.prefix = prefix
        self.suite = suite
        self.lives: dict[str, str] = {}
        self.leaves: dict[str, int] = {}
        self.ghosts: list[str] = []
        self.states: dict[str, Any] = {}

    def ask(self, name: str, op: str, **values: object) -> Any:
        language = self.languages[self.lives[name]]
        return language.ask(f"{self.prefix}/{name}", op, now=NOW, suite=self.suite, **values)

    def names(self) -> list[str]:
        return sorted(self.states)

    def born(self, name: str, language: str, op: str, **values: object) -> Any:
        self.lives[name] = language
        seed = f"{self.prefix}/{name}".encode().hex()
        return self.ask(name, op, seed=seed, identity=name.encode().hex(), **values)

    def found(self, name: str, language: str, **values: object) -> None:
        self.states[name] = self.born(name, language, "create", groupId=GROUP_ID, **values)

    def agree(self) -> None:
        first = self.states[self.names()[0]]
        for name in self.names():
            state = self.states[name]
            assert {k: state[k] for k in AGREED} == {k: first[k] for k in AGREED}, name
            assert [state["own"], name.encode().hex()] in state["members"]
        assert len(first["members"]) == len(self.states)

    def spread(self, message: str, by: str | None, **values: object) -> None:
        """All but the committer apply the commit; whoever it removes becomes a ghost."""
        for name in self.names():
            if name == by:
                continue
            try:
                self.states[name] = self.ask(name, "apply", message=message, **values)
            except RefusedError as error:
                assert error.code == "removed", (name, error)
                del self.states[name]
                self.ghosts.append(name)

    def commit(self, by: str, adds: dict[str, str] | None = None, **values: Any) -> None:
        """A commit by one, with those added by name and language."""
        packages = {
            name: self.born(name, lives, "keyPackage")["keyPackage"] for name, lives in (adds or {}).items()
        }
        made = self.ask(by, "commit", adds=list(packages.values()), **values)
        psks = values.get("psks", {})
        self.spread(made["message"], by, psks=psks)
        self.states[by] = self.ask(by, "merge")
        outside = values.get("treeInWelcome", True) is False
        for name in packages:
            joined = self.ask(
                name, "join", message=made["welcome"], tree=made["tree"] if outside else None, psks=psks
            )
            assert joined["signer"] == self.states[by]["own"]
            assert [e["type"] for e in joined["info"]] == [0xF0A2]
            self.states[name] = joined
        self.agree()

    def propose(self, by: str, op: str, **values: object) -> None:
        message = self.ask(by, op, **values)["message"]
        references = {
            self.ask(name, "receiveProposal", message=message)["reference"]
            for name in self.names()
            if name != by
        }
        assert len(references) <= 1

    def say(self, by: str, data: bytes, padding: int = 0) -> str:
        values = {"data": data.hex(), "authenticatedData": "aa", "padding": padding}
        said: str = self.ask(by, "encrypt", **values)["message"]
        for name in self.names():
            if name == by:
                continue
            opened = self.ask(name, "decrypt", message=said)
            assert opened == {
                "sender": self.states[by]["own"],
                "epoch": self.states[by]["epoch"],
                "data": data.hex(),
                "authenticatedData": "aa",
            }
            with pytest.raises(RefusedError) as again:
                self.ask(name, "decrypt", message=said)
            assert again.value.code == "replayed"
        for ghost in self.ghosts:
            with pytest.raises(RefusedError):
                self.ask(ghost, "decrypt", message=said)
        return said


def test_the_same_random_bytes_make_the_same_bytes(typescript: TypeScript) -> None:
    """Two clubs live the same life, one in each language; all that they say is equal."""

    def life(language: Language) -> list[Any]:
        log: list[Any] = []

        class Logged:
            def ask(self, member: str, op: str, **values: object) -> Any:
                try:
                    answer: Any = language.ask(member, op, **values)
                except RefusedError as error:
                    answer = (error.rule, error.code)
                    log.append((member, op, answer))
                    raise
                log.append((member, op, answer))
                return answer

        club = Club({"one": Logged()}, "twins")
        club.found("anna", "one", extensions=[{"type": 0xF0A1, "data": "00ff"}])
        club.commit("anna", {"boris": "one", "clara": "one", "dmitri": "one"}, authenticatedData="0102")
        club.say("boris", b"hello", 11)
        club.propose("clara", "proposeUpdate")
        club.propose("boris", "proposeUpdate", private=True)
        club.commit("anna", {"eva": "one"}, private=True)
        club.commit("eva", removes=[1, 2], treeInWelcome=False)
        club.say("dmitri", b"")
        club.commit("dmitri", {"fjodor": "one"}, path=False)
        club.commit("fjodor", extensions=[{"type": 0xF0A1, "data": ""}])
        nonce = {b"psk".hex(): bytes(32).hex()}
        club.commit("anna", pskNonces=nonce, psks={b"psk".hex(): b"key".hex()})
        info = club.ask("eva", "groupInfo")["message"]
        joined = club.born("galina", "one", "joinExternal", message=info)
        club.spread(joined["message"], None)
        club.states["galina"] = joined
        club.agree()
        club.commit("galina")
        for name in club.names():
            club.states[name] = club.ask(name, "reload")
        club.agree()
        return log

    one, other = life(Python()), life(typescript)
    assert len(one) == len(other) > 60
    for mine, theirs in zip(one, other, strict=True):
        assert mine == theirs


STEPS = ("add", "remove", "replace", "update", "external", "empty", "psk", "reload", "late")


def live(club: Club, steps: list[str], random: SeededRandom) -> None:
    """A random life of a mixed group."""
    languages = ("python", "typescript")
    count = 0

    def newcomers(number: int) -> dict[str, str]:
        nonlocal count
        count += number
        return {f"m{count - i}": languages[random.below(2)] for i in range(number)}

    club.found("founder", languages[random.below(2)], extensions=[])
    club.commit("founder", {"first": "python", "second": "typescript"})
    for step in steps:
        names = club.names()
        by = names[random.below(len(names))]
        others = [name for name in names if name != by]
        leaving = [name for name in others if random.below(3) == 0][:3]
        private = random.below(2) == 0
        if step == "add" and len(names) < 9:
            outside = random.below(2) == 0
            club.commit(by, newcomers(1 + random.below(3)), private=private, treeInWelcome=outside)
        elif step == "remove" and leaving:
            club.commit(by, removes=[club.states[name]["own"] for name in leaving], private=private)
        elif step == "replace" and leaving:
            gone = [club.states[name]["own"] for name in leaving]
            club.commit(by, newcomers(1), removes=gone, private=private)
        elif step == "update":
            for name in leaving:
                club.propose(name, "proposeUpdate", private=random.below(2) == 0)
            if len(others) > 2:
                club.propose(by, "proposeRemove", leaf=club.states[others[-1]]["own"], private=private)
            club.commit(by, private=random.below(2) == 0)
        elif step == "external" and len(names) < 9:
            info = club.ask(by, "groupInfo")["message"]
            [(name, language)] = newcomers(1).items()
            resync = club.states[leaving[0]]["own"] if leaving else None
            joined = club.born(name, language, "joinExternal", message=info, resync=resync)
            club.spread(joined["message"], None)
            club.states[name] = joined
            club.agree()
        elif step == "psk":
            nonce = {random.bytes(4).hex(): random.bytes(32).hex()}
            psks = {name: b"key".hex() for name in nonce}
            club.commit(by, pskNonces=nonce, psks=psks, private=private)
        elif step == "reload":
            for name in names:
                club.states[name] = club.ask(name, "reload")
        elif step == "late":
            message = club.ask(by, "encrypt", data="4c")["message"]
            club.commit(others[0] if others else by)
            for name in club.names():
                if name != by:
                    assert club.ask(name, "decrypt", message=message)["data"] == "4c"
        else:
            club.commit(by, private=private)
        names = club.names()
        club.say(names[random.below(len(names))], random.bytes(random.below(50)), random.below(30))


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=14), seed=st.integers(0, 2**32))
def test_mixed_groups_agree_and_cut_off_whoever_is_removed(
    typescript: TypeScript, steps: list[str], seed: int
) -> None:
    club = Club({"python": Python(), "typescript": typescript}, f"life {seed} {steps}")
    live(club, steps, SeededRandom(seed))


def test_mixed_groups_with_x_wing(typescript: TypeScript) -> None:
    club = Club({"python": Python(), "typescript": typescript}, "x-wing", X_WING)
    live(club, ["add", "update", "external", "replace", "late", "psk"], SeededRandom(4))


def test_both_refuse_the_same_forgeries_by_the_same_rules(typescript: TypeScript) -> None:
    tricks: list[tuple[str, str]] = typescript.ask("", "tricks")["tricks"]
    assert len(tricks) > 50
    club = Club({"python": Python(), "typescript": typescript}, "tricks")
    club.found("anna", "typescript", extensions=[])
    club.commit("anna", {"boris": "python", "clara": "typescript"})
    club.commit("boris")
    honest = club.ask("anna", "commit")["message"]
    for name in ("boris", "clara"):
        assert club.ask(name, "verify", message=honest)["committer"] == 0
    for trick, rule in tricks:
        message = club.ask("anna", "forge", trick=trick)["message"]
        for name in ("boris", "clara"):
            with pytest.raises(RefusedError) as refused:
                club.ask(name, "verify", message=message)
                pytest.fail(f"{club.lives[name]} accepts {trick}")
            assert refused.value.rule == rule, (trick, club.lives[name])
    club.agree()


def test_both_decode_the_same_bytes(typescript: TypeScript) -> None:
    """Changed bytes are decoded by both or by neither. Which of several mistakes is told first may differ."""
    python = Python()
    club = Club({"python": python, "typescript": typescript}, "bytes")
    club.found("anna", "python", extensions=[{"type": EXTENSION, "data": "00"}])
    club.commit("anna", {"boris": "typescript"})
    package = club.born("clara", "python", "keyPackage")["keyPackage"]
    made = club.ask("anna", "commit", adds=[package])
    good = [
        ("message", made["message"]),
        ("message", made["welcome"]),
        ("message", club.ask("anna", "groupInfo")["message"]),
        ("message", club.ask("boris", "encrypt", data="00")["message"]),
        ("message", club.ask("boris", "proposeUpdate")["message"]),
        ("keyPackage", package),
        ("tree", made["tree"]),
    ]
    random = SeededRandom(8)
    verdicts = []
    for kind, text in good * 80:
        data = mutated(bytes.fromhex(text), random).hex()
        one = verdict(python, kind, data)
        assert one == verdict(typescript, kind, data), (kind, data)
        verdicts.append(one is None)
    assert 50 < sum(verdicts) < len(verdicts) - 200


def verdict(language: Language, kind: str, data: str) -> str | None:
    try:
        language.ask("bytes/anna", "decode", kind=kind, message=data)
    except RefusedError as error:
        return error.code
    return None


def mutated(data: bytes, random: SeededRandom) -> bytes:
    """A few bytes changed, dropped, added or cut off."""
    place, size = random.below(len(data)), 1 + random.below(4)
    fresh = random.bytes(size)
    return (
        data[:place] + fresh + data[place + size :],
        data[:place] + bytes([data[place] ^ 1 << random.below(8)]) + data[place + 1 :],
        data[:place] + data[place + size :],
        data[:place] + fresh + data[place:],
        data[:place],
    )[random.below(5)]
