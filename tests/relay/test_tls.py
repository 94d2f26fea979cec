"""TLS in the process, in the event loop that the program runs in."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp
import pytest

from polynya.crypto.signature import public_key
from polynya.relay.config import RelayConfig
from polynya.relay.errors import ConfigError
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.server import serving
from polynya.relay.system import now
from polynya.wire.exchange import seal_request
from polynya.wire.keys import verify_key_configs
from polynya.wire.messages import (
    BLOB_PART,
    PROTOCOL_VERSION,
    BlobState,
    Call,
    Done,
    Exchange,
    Ping,
    PutBlob,
    Reply,
    Request,
)
from polynya.wire.session import start_session
from tests.browser.authority import Authority
from tests.relay.client import RANDOM
from tests.support.relay import RelayProcess


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


async def test_exchanges_and_sessions_over_https(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("127.0.0.1")
    arguments = ("--tls-cert", str(certificate), "--tls-key", str(key), "--local", "off")
    context = ssl.create_default_context(cafile=str(authority.certificate))
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        RelayProcess(tmp_path / "data", *arguments) as relay,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        assert relay.link.startswith("https://127.0.0.1:")
        async with http.get(relay.address + "/keys") as response:
            identity = public_key((relay.data / IDENTITY_FILE).read_bytes())
            config = verify_key_configs(identity, await response.read()).newest
        body, opener = seal_request(config, Exchange(PROTOCOL_VERSION, now(), Ping()), RANDOM)
        async with http.post(relay.address + "/x", data=body) as response:
            assert opener.open(await response.read()).response == Done()
        hello, handshake = start_session(config, now(), RANDOM)
        async with http.ws_connect(relay.address + "/s") as socket:
            await socket.send_bytes(hello)
            sealed = handshake.finish(await socket.receive_bytes())
            part = PutBlob(bytes(32), 2 * BLOB_PART, 0, bytes(BLOB_PART))
            requests: tuple[Request, ...] = (Ping(), part, Ping())
            for number, request in enumerate(requests):
                await socket.send_bytes(sealed.seal(Call(number, request)))
            replies = [sealed.open(await socket.receive_bytes()) for _ in range(3)]
        assert [reply.response for reply in replies if isinstance(reply, Reply)] == [
            Done(),
            BlobState(BLOB_PART),
            Done(),
        ]


async def test_files_that_do_not_fit_together_are_told(tmp_path: Path, authority: Authority) -> None:
    certificate, _ = authority.issue("127.0.0.1")
    _, other = Authority.create(tmp_path / "other").issue("127.0.0.1")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not a certificate")
    for cert, key in ((certificate, other), (garbage, garbage)):
        config = RelayConfig(data=tmp_path / "data", port=0, tls_cert=cert, tls_key=key)
        with pytest.raises(ConfigError, match="Check --tls-cert and --tls-key"):
            async with serving(config):
                pass
