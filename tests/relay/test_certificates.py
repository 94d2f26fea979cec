"""What needs no authority: challenges among the ordinary handshakes, files of certificates, and the options."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509

from polynya.relay.authority import Challenge
from polynya.relay.certificates import load, read_certificate, server_context
from polynya.relay.challenges import ALPN, HTTP_01, TLS_ALPN_01, Challenges
from polynya.relay.config import load_config
from polynya.relay.errors import ConfigError
from tests.browser.authority import Authority

NAME = "chat.example.org"


# ---- the challenge on the one port


async def test_ordinary_handshakes_see_nothing_of_a_challenge(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "ca")
    context = server_context()
    load(context, *authority.issue("127.0.0.1"))
    challenges = Challenges(context, tmp_path, False)
    await challenges.prepare(Challenge(TLS_ALPN_01, NAME, "token", "token.thumbprint"))
    assert list(tmp_path.glob("challenge*")) == [], "its key is not left on disk"
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    async def shown(name: str, *protocols: str) -> tuple[str | None, x509.Certificate]:
        client = ssl.create_default_context()
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        if protocols:
            client.set_alpn_protocols(list(protocols))
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        tls = writer.get_extra_info("ssl_object")
        result = tls.selected_alpn_protocol(), x509.load_der_x509_certificate(tls.getpeercert(True))
        writer.close()
        return result

    for name, protocols in ((NAME, ("http/1.1",)), (NAME, ()), ("other.example", ("h2", "http/1.1"))):
        _, certificate = await shown(name, *protocols)
        assert certificate.issuer == authority.issuer.subject
    protocol, certificate = await shown(NAME, ALPN)
    assert protocol == ALPN
    extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"))
    assert extension.critical
    digest = hashlib.sha256(b"token.thumbprint").digest()
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value == b"\x04\x20" + digest
    _, certificate = await shown("other.example", ALPN, "http/1.1")
    assert certificate.issuer == authority.issuer.subject
    challenges.clear()
    _, certificate = await shown(NAME, ALPN)
    assert certificate.issuer == authority.issuer.subject
    server.close()


def test_the_hook_of_ssl_is_the_one_that_was_read() -> None:
    """Not documented by Python: without it only HTTP-01 is left."""
    assert Challenges(server_context(), Path("/"), True).kinds == (TLS_ALPN_01, HTTP_01)


def test_a_context_keeps_its_certificate_where_the_new_one_is_none(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "ca")
    certificate, key = authority.issue("127.0.0.1")
    other, _ = Authority.create(tmp_path / "other").issue("127.0.0.1")
    context = server_context()
    load(context, certificate, key)
    with pytest.raises((OSError, ValueError)):
        load(context, other, key)
    client_side, server_side = ssl.MemoryBIO(), ssl.MemoryBIO()
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    client = trust.wrap_bio(client_side, server_side, server_hostname="127.0.0.1")
    server = context.wrap_bio(server_side, client_side, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert client.version() is not None


def test_a_certificate_says_what_it_is_without_its_key(tmp_path: Path) -> None:
    certificate, key = Authority.create(tmp_path).issue("192.0.2.7")
    read = read_certificate(key.read_bytes() + certificate.read_bytes())
    assert read.names == {"192.0.2.7"}
    assert "PRIVATE" not in read.chain
    assert read.chain.count("BEGIN CERTIFICATE") == 1
    end = datetime.datetime.fromtimestamp(read.ends / 1000, datetime.UTC)
    assert end > datetime.datetime.now(datetime.UTC)


# ---- options


def test_a_name_or_address_chooses_where_to_listen(tmp_path: Path) -> None:
    named = load_config({"data": str(tmp_path), "domain": "Chat.Example.org., www.example.org"}, {})
    assert (named.domain, named.host, named.port) == ((NAME, "www.example.org"), "*", 443)
    assert (named.scheme, named.obtains, named.http_port) == ("https", True, 80)
    public = load_config({"data": str(tmp_path), "public": "auto", "port": "8443", "http_port": "off"}, {})
    assert (public.public, public.host, public.port, public.http_port) == ("auto", "*", 8443, None)
    unicode = load_config({"data": str(tmp_path), "domain": "чат.example.org"}, {})
    assert unicode.domain == ("xn--80a0bn.example.org",)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"domain": "localhost"}, "is not the name of a host"),
        ({"domain": "https://chat.example.org"}, "is not the name of a host"),
        ({"domain": "*.example.org"}, "takes changes in the DNS"),
        ({"domain": "192.0.2.1"}, "Use --public 192.0.2.1"),
        ({"public": "chat.example.org"}, "For a name use --domain"),
        ({"domain": NAME, "public": "192.0.2.1"}, "--domain or --public"),
        ({"domain": NAME, "tls_cert": "a", "tls_key": "b"}, "gets its certificate by itself"),
        ({"domain": NAME, "acme_directory": "http://ca.example/dir"}, "is not an ACME directory"),
        ({"domain": NAME, "port": "80"}, "must differ"),
        ({"domain": NAME, "http_port": "x"}, "is not a port"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({"data": str(tmp_path), **given}, {})
    assert told in str(caught.value)
