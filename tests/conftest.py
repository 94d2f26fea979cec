"""Tests that drive programs are skipped where those are missing; with POLYNYA_REQUIRE_BROWSER=1 they fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

REQUIRE = "POLYNYA_REQUIRE_BROWSER"
ADMIN_FOLDERS = "/usr/sbin:/sbin"


def _has(program: str) -> bool:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{ADMIN_FOLDERS}") is not None


def missing_for(marks: Iterable[str]) -> str | None:
    """What a test with these marks lacks on this machine, in words, or None."""
    marks = set(marks)
    if "browser" in marks and not _has("chromium"):
        return "no chromium: apt install chromium"
    if "netns" in marks and not _has("ip"):
        return "no ip program: apt install iproute2"
    if "netns" in marks and os.geteuid() != 0:
        return "network namespaces need root"
    return None


PACKAGES = {"pebble": "pebble", "nginx": "nginx-light", "caddy": "caddy", "systemd-analyze": "systemd"}
"""Programs for `pytest.mark.program` and the Debian packages that have them."""


def missing_program(name: str) -> str | None:
    """As `missing_for`, for one program."""
    return None if _has(name) else f"no {name}: apt install {PACKAGES[name]}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        programs = [mark.args[0] for mark in item.iter_markers("program")]
        lacks = [missing_for(mark.name for mark in item.iter_markers()), *map(missing_program, programs)]
        lack = next((one for one in lacks if one is not None), None)
        if lack is None:
            continue
        if os.environ.get(REQUIRE) == "1":
            raise pytest.UsageError(f"{item.nodeid} must run, as {REQUIRE}=1 says, and cannot: {lack}")
        item.add_marker(pytest.mark.skip(reason=lack))
