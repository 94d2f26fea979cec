"""What a stranger makes as large as a message can be."""

from __future__ import annotations

from typing import NoReturn

from polynya.mls import checks
from polynya.mls.codec import decode
from polynya.mls.extensions import Extension, RequiredCapabilities
from polynya.mls.leaf import SHARED_SIZE, Capabilities, read_capabilities
from tests.mls.parties import refuses


class Once(tuple[int, ...]):
    """Numbers that are gone through, and never searched."""

    __slots__ = ()

    def __contains__(self, _: object) -> NoReturn:
        raise AssertionError("searched for each type")


def test_lists_of_types_are_gone_through_once() -> None:
    types = tuple(range(0xF000, 0xF000 + 1000))
    every = Once((*types, 1))
    capabilities = Capabilities((1,), (1,), every, every, every)
    asked = RequiredCapabilities((*types, 1), types, types)
    extensions = [asked.extension(), *(Extension(kind, b"") for kind in types)]
    checks.check_supported([capabilities], extensions)
    more = RequiredCapabilities((*types, 0x0AAA), types, types).extension()
    refuses("7.3-required-capabilities", lambda: checks.check_supported([capabilities], [more]))


def test_only_short_capabilities_are_kept() -> None:
    """Equal ones of all leaves are one value, but strangers cannot make us keep long ones."""
    short, long = Capabilities((1,), (1,)), Capabilities((1,), (1,), tuple(range(SHARED_SIZE)))
    assert decode(read_capabilities, short.encode()) is decode(read_capabilities, short.encode())
    first, second = decode(read_capabilities, long.encode()), decode(read_capabilities, long.encode())
    assert first == second == long and first is not second
