"""What a receiver must not refuse (RFC 9420 sections 7.2, 10, 12.4.3, 12.4.3.1 and 13)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.mls.extensions import Extension
from polynya.mls.group import X25519, Group, decode_key_package, make_key_package, verify_key_package
from polynya.mls.keypackage import KeyPackageBundle
from polynya.mls.leaf import Capabilities
from polynya.mls.proposal import Add
from tests.mls.parties import LIFETIME, NOW, advance, commit_by, found, group_of, in_agreement, join, shows
from tests.support.seeded import SeededRandom

GREASE = (0x0A0A, 0x1A1A, 0xEAEA)
UNKNOWN = (0xF777, 0x7777)


def strange(random: SeededRandom, values: tuple[int, ...]) -> KeyPackageBundle:
    """A key package that lists `values` in every capability, and holds extensions of these types."""
    listed = Capabilities((1, *values), (1, *values), (0xF0A1, 0xF0A2, 0x000A, *values), values, (1, *values))
    return make_key_package(
        X25519,
        found(random).members()[0].credential,
        random.bytes(32),
        lifetime=LIFETIME,
        extensions=[Extension(value, b"?") for value in values],
        leaf_extensions=[Extension(value, b"!") for value in values],
        capabilities=listed,
        random=random,
    )


@pytest.mark.parametrize("values", [GREASE, UNKNOWN])
@shows("7.2-unknown-capabilities", "10-unknown-extension", "13.5-grease")
def test_clients_that_know_more_than_we_do(values: tuple[int, ...]) -> None:
    random = SeededRandom(1)
    groups = group_of(2, random)
    bundle = strange(random, values)
    package = verify_key_package(decode_key_package(bundle.key_package.encode()), NOW)
    pending = groups[0].commit([Add(package)], now=NOW, random=random)
    everybody = [*advance(groups, 0, pending), join(pending.welcome, bundle).group]
    assert in_agreement(commit_by(everybody, 2, random))
    assert in_agreement([Group.decode(group.encode()) for group in everybody])


@shows("12.4.3-unknown-extension")
def test_a_group_info_with_extensions_that_nobody_knows() -> None:
    random = SeededRandom(2)
    groups = group_of(2, random)
    bundle = strange(random, ())
    extra = [Extension(value, b"?") for value in (*GREASE, *UNKNOWN)]
    pending = groups[0].commit([Add(bundle.key_package)], group_info_extensions=extra, now=NOW, random=random)
    joined = join(pending.welcome, bundle)
    assert joined.group_info_extensions == tuple(extra)
    info = joined.group.group_info(extensions=extra, external_pub=True)
    seed = random.bytes(32)
    entered = Group.join_external(info, found(random, name="x").members()[0].credential, seed, random=random)
    assert entered.group.epoch == joined.group.epoch + 1


@shows("12.4.3.1-expired-leaves")
def test_members_whose_key_package_has_run_out_since() -> None:
    random = SeededRandom(3)
    groups = group_of(3, random)
    bundle = strange(random, ())
    late = LIFETIME.not_after * 1000 + 1000
    pending = groups[0].commit([Add(bundle.key_package)], now=NOW, random=random)
    joined = Group.join(pending.welcome or b"", [bundle], now=late)
    assert joined.expired == (1, 2, 3)
    assert in_agreement([*advance(groups, 0, pending), joined.group])
    assert replace(joined, expired=()) == join(pending.welcome, bundle)
