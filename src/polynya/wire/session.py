"""The sealed session, both sides, without I/O (protocol.md section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from polynya.crypto.errors import CryptoError
from polynya.crypto.hashes import hkdf_extract, sha256
from polynya.crypto.kem import PrivateKey
from polynya.crypto.random import Random
from polynya.crypto.xwing import XWING
from polynya.wire import ohttp
from polynya.wire.errors import WireError
from polynya.wire.exchange import open_setup
from polynya.wire.labels import expand
from polynya.wire.messages import (
    PROTOCOL_VERSION,
    ClientFrame,
    KeyConfig,
    RelayFrame,
    SessionAccept,
    SessionHello,
    decode_client_frame,
    decode_relay_frame,
    decode_session_accept,
    decode_session_hello,
    encode_client_frame,
    encode_relay_frame,
    encode_session_accept,
    encode_session_hello,
)
from polynya.wire.ohttp import SUITE
from polynya.wire.padding import pad, unpad

SESSION_LABEL = b"polynya session"
COUNTER_END = 2**32
"""Frames in one direction; AES-GCM's bounds under one key are far above."""


class _Direction:
    """AEAD frames under one key with a counter. The cipher is kept, as making it costs more than a frame, until
    `rest`."""

    __slots__ = ("_cipher", "_counter", "_iv", "_key")

    def __init__(self, prk: bytes, name: str) -> None:
        self._key = expand(prk, name, 16)
        self._cipher: AESGCM | None = None
        self._iv = int.from_bytes(expand(prk, f"{name} iv", 12), "big")
        self._counter = 0

    def _wake(self) -> AESGCM:
        self._cipher = AESGCM(self._key)
        return self._cipher

    def seal(self, padded: bytes) -> bytes:
        """Raises WireError `session-ended`."""
        counter = self._counter
        if counter >= COUNTER_END:
            raise WireError("session-ended")
        sealed = (self._cipher or self._wake()).encrypt(
            (self._iv ^ counter).to_bytes(12, "big"), padded, None
        )
        self._counter = counter + 1
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """Raises WireError `session-frame` once, and `session-ended` from then on."""
        counter = self._counter
        if counter >= COUNTER_END:
            raise WireError("session-ended")
        try:
            cipher = self._cipher or self._wake()
            padded = cipher.decrypt((self._iv ^ counter).to_bytes(12, "big"), sealed, None)
        except InvalidTag:
            self.end()
            raise WireError("session-frame") from None
        self._counter = counter + 1
        return padded

    def rest(self) -> None:
        self._cipher = None

    def end(self) -> None:
        self._counter = COUNTER_END
        self._cipher = None
        self._key = b""


class _Session:
    __slots__ = ("_in", "_out")

    def __init__(self, prk: bytes, outgoing: str, incoming: str) -> None:
        self._out = _Direction(prk, outgoing)
        self._in = _Direction(prk, incoming)

    def _open(self, sealed: bytes) -> bytes:
        try:
            return unpad(self._in.open(sealed))
        except WireError:
            self.end()
            raise

    def _unpad(self, padded: bytes) -> bytes:
        try:
            return unpad(padded)
        except WireError:
            self.end()
            raise

    def end(self) -> None:
        """From now on nothing is sealed or opened."""
        self._out.end()
        self._in.end()


class ClientSession(_Session):
    """The client's side; frames must be sealed, sent, received and opened in order."""

    __slots__ = ()

    def seal(self, frame: ClientFrame) -> bytes:
        """Raises WireError `session-ended`, `padding-fit` or `message`."""
        return self._out.seal(pad(encode_client_frame(frame)))

    def open(self, sealed: bytes) -> RelayFrame:
        """Raises WireError `session-frame`, `session-ended`, a `padding-` or `cbor-` rule, or `message`; all
        but `session-ended` end the session."""
        data = self._open(sealed)
        try:
            return decode_relay_frame(data)
        except WireError:
            self.end()
            raise


class RelaySession(_Session):
    """The relay's side."""

    __slots__ = ()

    def seal(self, frame: RelayFrame) -> bytes:
        """Raises WireError `session-ended`, `padding-fit` or `message`."""
        return self._out.seal(pad_relay_frame(frame))

    def rest(self) -> None:
        """Gives back the memory of the ciphers, 5 KB; the next frame takes it again."""
        self._out.rest()
        self._in.rest()

    def seal_padded(self, padded: bytes) -> bytes:
        """As `seal`, for a frame that goes to many sessions: `pad_relay_frame` once, this for each."""
        return self._out.seal(padded)

    def open(self, sealed: bytes) -> ClientFrame:
        """As ClientSession.open."""
        return self.read(self.open_padded(sealed))

    def open_padded(self, sealed: bytes) -> bytes:
        """The padded frame, whose form is not looked at: `read` does. Raises WireError as `open`."""
        try:
            return self._in.open(sealed)
        except WireError:
            self.end()
            raise

    def read(self, padded: bytes) -> ClientFrame:
        """What `open_padded` gave; raises WireError as `open`."""
        data = self._unpad(padded)
        try:
            return decode_client_frame(data)
        except WireError:
            self.end()
            raise


def pad_relay_frame(frame: RelayFrame) -> bytes:
    """Raises WireError `padding-fit` or `message`."""
    return pad(encode_relay_frame(frame))


class ClientHandshake:
    """Between the client's first frame and the relay's."""

    __slots__ = ("_exported", "_hello", "_private_key")

    def __init__(self, hello: bytes, exported: bytes, private_key: bytes) -> None:
        self._hello = hello
        self._exported = exported
        self._private_key = private_key

    def finish(self, frame: bytes) -> ClientSession:
        """The session that the relay's first frame opens; raises WireError `session-accept`, a `cbor-` rule
        or `message`."""
        accept = decode_session_accept(frame)
        try:
            shared_secret = XWING.decapsulate(self._private_key, accept.enc)
        except CryptoError:
            raise WireError("session-accept") from None
        prk = _session_prk(self._hello, frame, self._exported, shared_secret)
        return ClientSession(prk, "client", "relay")


def start_session(config: KeyConfig, time: int, random: Random) -> tuple[bytes, ClientHandshake]:
    """The first frame to the holder of `config` (verified), and what waits for the answer; `time` is the
    client's estimate of the relay's clock in milliseconds. Raises WireError `exchange-key` for an invalid
    key."""
    private_key, public_key = XWING.generate(random)
    plaintext = pad(encode_session_hello(SessionHello(PROTOCOL_VERSION, time, public_key)))
    try:
        header, enc, context = ohttp.setup_request(SUITE, config.id, config.public_key, SESSION_LABEL, random)
    except CryptoError:
        raise WireError("exchange-key") from None
    frame = header + enc + context.seal(b"", plaintext)
    return frame, ClientHandshake(frame, context.export(SESSION_LABEL, 32), private_key)


class RelayHandshake:
    """A hello that was opened, and not yet accepted: the relay first judges `hello.time`, `hello.version`,
    and whether `enc` was seen before."""

    __slots__ = ("_exported", "_frame", "enc", "hello")

    def __init__(self, frame: bytes, exported: bytes, hello: SessionHello, enc: bytes) -> None:
        self._frame = frame
        self._exported = exported
        self.hello = hello
        self.enc = enc

    def accept(self, random: Random) -> tuple[bytes, RelaySession]:
        """The relay's first frame and the session; raises WireError `session-hello` for an invalid ephemeral
        key."""
        try:
            shared_secret, enc = XWING.encapsulate(self.hello.public_key, random)
        except CryptoError:
            raise WireError("session-hello") from None
        answer = encode_session_accept(SessionAccept(enc))
        prk = _session_prk(self._frame, answer, self._exported, shared_secret)
        return answer, RelaySession(prk, "relay", "client")


def open_hello(keys: Mapping[int, PrivateKey], frame: bytes) -> RelayHandshake:
    """Opens a session's first frame; raises WireError as `exchange.open_request` does."""
    enc, padded, context = open_setup(keys, SESSION_LABEL, frame)
    hello = decode_session_hello(unpad(padded))
    return RelayHandshake(frame, context.export(SESSION_LABEL, 32), hello, enc)


def _session_prk(hello: bytes, accept: bytes, exported: bytes, shared_secret: bytes) -> bytes:
    return hkdf_extract(sha256(hello + accept), exported + shared_secret)
