"""The sealed exchange, both sides (protocol.md section 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polynya.crypto.errors import CryptoError
from polynya.crypto.hpke import ReceiverContext
from polynya.crypto.kem import PrivateKey
from polynya.crypto.random import Random
from polynya.wire import ohttp
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    Answer,
    Exchange,
    KeyConfig,
    decode_answer,
    decode_exchange,
    encode_answer,
    encode_exchange,
)
from polynya.wire.ohttp import HEADER_SIZE, SUITE
from polynya.wire.padding import pad, unpad

REQUEST_LABEL = b"polynya request"
RESPONSE_LABEL = b"polynya response"


@dataclass(frozen=True, slots=True)
class ResponseOpener:
    """What the client keeps until the response to its request comes."""

    _enc: bytes = field(repr=False)
    _secret: bytes = field(repr=False)

    def open(self, data: bytes) -> Answer:
        """Raises WireError `response-open`, a `padding-` or `cbor-` rule, or `message`."""
        try:
            padded = ohttp.open_response(SUITE, self._secret, self._enc, data)
        except CryptoError:
            raise WireError("response-open") from None
        return decode_answer(unpad(padded))


@dataclass(frozen=True, slots=True)
class ResponseSealer:
    """What the relay keeps until it answers; one response only."""

    _enc: bytes = field(repr=False)
    _secret: bytes = field(repr=False)

    def seal(self, answer: Answer, random: Random) -> bytes:
        """Raises WireError `padding-fit` for an answer over the largest step, or `message`."""
        return ohttp.seal_response(SUITE, self._secret, self._enc, pad(encode_answer(answer)), random)


def seal_request(config: KeyConfig, exchange: Exchange, random: Random) -> tuple[bytes, ResponseOpener]:
    """A request for the holder of `config` (which the caller has verified), and the opener of its response.

    Raises WireError `exchange-key` for a key that is not a valid X-Wing key, `padding-fit`, or `message`.
    """
    plaintext = pad(encode_exchange(exchange))
    try:
        header, enc, context = ohttp.setup_request(SUITE, config.id, config.public_key, REQUEST_LABEL, random)
    except CryptoError:
        raise WireError("exchange-key") from None
    opener = ResponseOpener(enc, ohttp.response_secret(SUITE, context, RESPONSE_LABEL))
    return header + enc + context.seal(b"", plaintext), opener


def open_request(keys: Mapping[int, PrivateKey], data: bytes) -> tuple[Exchange, ResponseSealer, bytes]:
    """(exchange, sealer of the response, enc) of a request; `keys` are the relay's X-Wing keys by key id.

    The caller judges the exchange's time, and whether `enc` was seen before. Raises WireError
    `exchange-header`, `exchange-key` (an id that `keys` lacks), `exchange-open`, a `padding-` or `cbor-`
    rule, or `message`; to the sender all are one and the same.
    """
    enc, padded, context = open_setup(keys, REQUEST_LABEL, data)
    exchange = decode_exchange(unpad(padded))
    return exchange, ResponseSealer(enc, ohttp.response_secret(SUITE, context, RESPONSE_LABEL)), enc


def open_setup(
    keys: Mapping[int, PrivateKey], label: bytes, data: bytes
) -> tuple[bytes, bytes, ReceiverContext]:
    """(enc, plaintext, context) of a request or a session's hello; raises WireError as `open_request`
    does."""
    if len(data) < HEADER_SIZE + SUITE.kem.enc_size or data[:HEADER_SIZE] != SUITE.header(data[0]):
        raise WireError("exchange-header")
    private_key = keys.get(data[0])
    if private_key is None:
        raise WireError("exchange-key")
    try:
        enc, sealed, context = ohttp.open_setup(SUITE, private_key, label, data)
        return enc, context.open(b"", sealed), context
    except CryptoError:
        raise WireError("exchange-open") from None
