"""Who takes part: kinds of members, which of them this machine has, and the groups they are put into."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import shutil
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from polynya.mls.suite import X25519, X_WING, Suite
from tests.interop.peers import TypeScript
from tests.referees.member import Member
from tests.referees.mlsrs import MlsRsMember
from tests.referees.openmls import OpenMlsMember
from tests.referees.python import PythonMember
from tests.referees.rine import RineMember
from tests.referees.typescript import TypeScriptMember

OURS = ("python", "typescript")

MODULES = {"rine": "rine_mls", "mls-rs": "mls_rs_uniffi", "openmls": "gbp_stack"}
"""Kinds of referees and the modules that they come in."""


def installed() -> frozenset[str]:
    """The kinds of referees that can take part here; not every platform has wheels of all."""
    return frozenset(kind for kind, module in MODULES.items() if importlib.util.find_spec(module))


@dataclass(frozen=True, slots=True)
class Plan:
    """A suite, and kinds of members, each as often as it is to be drawn."""

    name: str
    suite: Suite
    kinds: tuple[str, ...]

    def ours_only(self) -> bool:
        return set(self.kinds) <= set(OURS)

    def founders(self) -> tuple[str, ...]:
        """mls-rs founds with a lifetime that begins now, which OpenMLS takes for one that is to come."""
        return tuple(kind for kind in self.kinds if not (kind == "mls-rs" and "openmls" in self.kinds))

    def without(self, missing: frozenset[str]) -> Plan:
        return Plan(self.name, self.suite, tuple(kind for kind in self.kinds if kind not in missing))


PLANS = (
    Plan("mixed", X25519, ("python", "python", "typescript", "rine", "rine", "mls-rs", "mls-rs")),
    Plan("all", X25519, ("python", "typescript", "rine", "mls-rs", "openmls", "openmls")),
    Plan("ours", X25519, OURS),
    Plan("x-wing", X_WING, OURS),
)
"""Where OpenMLS takes part all handshakes are private, so that mls-rs only follows: hence groups without it."""

SHARES = ("mixed", "mixed", "mixed", "all", "all", "all", "ours", "x-wing")
"""Of eight lives."""


AHEAD = 60 * 60 * 1000
"""ms. Members of ours live an hour ahead of the real time, which is the referees': the lifetime of mls-rs' key
packages begins with the second in which they are made."""

STOCK = 24
"""Members of mls-rs made in advance for groups with OpenMLS: a group has at most 64, and new ones come slowly."""

RIPE_AFTER = 2.0
"""Seconds. OpenMLS takes a lifetime to begin after the second that it names, so that for one to two seconds it
joins no group with a key package of mls-rs."""


class Cast:
    """Makes members. Holds what they live in: a Node process and a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: in which members keep their files in one of their own; without it where temporary files are."""
        self.now = 0
        """In ms; set by `tell_time`."""
        self.tell_time()
        self._stock: dict[str, deque[tuple[float, Member]]] = {}
        self._made = 0
        self.missing = frozenset(MODULES) - installed()
        self._modules: dict[str, ModuleType] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="referees-", dir=folder))
        self._node: TypeScript | None = None

    def __enter__(self) -> Cast:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        shutil.rmtree(self._folder)
        if self._node is not None:
            self._node.close()

    def tell_time(self) -> None:
        """Between lives, as key packages do not live for ever."""
        self.now = int(time.time() * 1000) + AHEAD

    def new(self, kind: str, plan: Plan, life: str, name: str) -> Member:
        """A member whose secrets come from `life` and `name`, as far as its kind lets them be chosen."""
        if kind in ("rine", "mls-rs"):
            return self._ripe(kind) if "openmls" in plan.kinds else self._mls_rs(kind)
        if kind == "openmls":
            return OpenMlsMember(self._module(kind), name.encode())
        if kind == "python":
            seed = hashlib.sha256(f"{life}/{name}".encode()).digest()
            return PythonMember(plan.suite, name.encode(), seed, self.now)
        if self._node is None:
            self._node = TypeScript()
        return TypeScriptMember(self._node, f"{life}/{name}", plan.suite, name.encode(), self.now)

    def _mls_rs(self, kind: str) -> RineMember | MlsRsMember:
        self._made += 1
        name = f"{kind} {self._made}"
        if kind == "mls-rs":
            return MlsRsMember(self._module(kind), name.encode())
        seed = hashlib.sha256(name.encode()).digest()
        return RineMember(self._module(kind), X25519.id, self._folder / name, seed)

    def _ripe(self, kind: str) -> Member:
        """One whose key package is so old that OpenMLS takes it."""
        stock = self._stock.setdefault(kind, deque())
        while len(stock) <= STOCK:
            member = self._mls_rs(kind)
            member.prepare()
            stock.append((time.monotonic(), member))
        made, ripe = stock.popleft()
        time.sleep(max(0.0, made + RIPE_AFTER - time.monotonic()))
        return ripe

    def _module(self, kind: str) -> ModuleType:
        if kind not in self._modules:
            self._modules[kind] = importlib.import_module(MODULES[kind])
        return self._modules[kind]
