"""A relay without a name: a certificate for its address, which lives for days."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from polynya.relay.errors import ConfigError
from polynya.relay.public import public_address
from polynya.relay.renewal import HOUR
from polynya.relay.system import now
from tests.browser.namespaces import Host, network
from tests.relay.test_acme import place, until
from tests.support.acme import Front
from tests.support.ports import closed_port

SHORT = 160 * 3_600
"""Seconds that Let's Encrypt gives an address."""


@pytest.mark.program("pebble")
async def test_an_address_gets_a_short_lived_certificate(tmp_path: Path) -> None:
    """RFC 8738, by TLS-ALPN-01; the profile is asked for where the authority has it."""
    async with place(tmp_path, lifetime=SHORT) as here:
        front = Front(here.ca)
        front.profiles = {"shortlived": "six days", "classic": "ninety"}
        async with (
            front.running(),
            here.relay(domain=(), public="127.0.0.1", acme_directory=front.directory, http=False) as running,
        ):
            renewals = running.tls.renewals
            assert renewals is not None
            assert renewals.problem == ""
            shown = x509.load_der_x509_certificate(await here.handshake(name="127.0.0.1"))
            names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
            assert running.address.startswith("https://127.0.0.1:")
            assert front.orders[0]["profile"] == "shortlived"
            assert front.orders[0]["identifiers"] == [{"type": "ip", "value": "127.0.0.1"}]
            first = running.tls.certificate
            assert first is not None
            # Nothing after four days, a new one within the fifth: two are left to put right what went wrong.
            here.ahead = 100 * HOUR
            await renewals.step()
            assert running.tls.certificate is first
            here.ahead = 112 * HOUR
            renewals.wake()
            await until(lambda: running.tls.certificate is not first)
            assert len(front.orders) == 2
            assert first.ends - now() - here.ahead > 40 * HOUR


@pytest.mark.program("pebble")
async def test_an_address_can_be_shown_by_plain_http(tmp_path: Path) -> None:
    """And by an authority that has no profiles."""
    async with (
        place(tmp_path, https=closed_port()) as here,
        here.relay(domain=(), public="127.0.0.1") as running,
    ):
        assert running.tls.renewals is not None
        assert running.tls.renewals.problem == ""
        await here.handshake(name="127.0.0.1")


@pytest.fixture
def host() -> Iterator[Host]:
    with network() as net:
        yield net.host("relay")


@pytest.mark.netns
def test_the_address_is_found_on_the_machine(host: Host) -> None:
    """The one from which it reaches the internet; one that others cannot reach is told of instead."""

    def found() -> str:
        code = """
from polynya.relay.errors import ConfigError
from polynya.relay.public import public_address
try:
    print(public_address("auto"))
except ConfigError as error:
    print(error)
"""
        command = host.command([sys.executable, "-c", code])
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", "-n", host.name, *arguments], check=True)

    assert "This machine has no public address of its own (none at all)." in found()
    ip("route", "add", "default", "via", "198.18.0.200")
    assert "(only 198.18.0.1, which others cannot reach)" in found()
    assert "--public ADDRESS" in found()
    # An address as a provider gives it; it leads nowhere here.
    ip("address", "add", "9.9.9.9/32", "dev", "eth0")
    ip("route", "replace", "default", "via", "198.18.0.200", "src", "9.9.9.9")
    assert found() == "9.9.9.9\n"


def test_an_address_that_is_given_is_taken() -> None:
    assert public_address("192.0.2.7") == "192.0.2.7"
    assert public_address("2001:db8::7") == "2001:db8::7"


def test_a_machine_without_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polynya.relay.public.PROBES", ())
    with pytest.raises(ConfigError, match="none at all"):
        public_address("auto")
