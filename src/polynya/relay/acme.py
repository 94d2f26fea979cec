"""ACME (RFC 8555) by EFF's library, in a process of its own: the library is synchronous and takes 30 MB, which
a relay needs for seconds every two months.

    python -m polynya.relay.acme

One task as a line of JSON on standard input (`polynya.relay.authority.Task`); lines of JSON on standard output:
`challenge`, answered with any line once the challenge can be validated, and at the end `certificate`,
`renewal` or `problem`."""

from __future__ import annotations

import datetime
import json
import os
import sys
from pathlib import Path
from typing import Any

from acme import challenges, client, crypto_util, messages
from acme import errors as acme_errors
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC

from polynya.relay.addresses import as_ip
from polynya.relay.certificates import key_pem
from polynya.relay.files import write_private

USER_AGENT = "acme-python"
"""What the library calls itself; the CA and who watches the way need not know more."""
NETWORK_TIMEOUT = 30
"""Seconds for one request to the CA."""
VALIDATION_TIMEOUT = 120
"""Seconds for all validations of an order."""
ISSUANCE_TIMEOUT = 120
"""Seconds from the last validation to the certificate."""


class TLSALPN01Response(challenges.KeyAuthorizationChallengeResponse):
    """What tells the CA to validate."""

    typ = "tls-alpn-01"


@challenges.Challenge.register
class TLSALPN01(challenges.KeyAuthorizationChallenge):
    """RFC 8737; the library no longer has it, and its key authorization is that of every other challenge."""

    typ = TLSALPN01Response.typ
    response_cls = TLSALPN01Response

    def validation(self, account_key: JWK, **_: Any) -> str:
        return self.key_authorization(account_key)


class Problem(Exception):
    """`kind` is the last part of an ACME error's name (RFC 8555 section 6.7), or unreachable, timeout, or protocol."""

    def __init__(self, kind: str, detail: str, retry_after: int = 0) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after


def main() -> None:
    task = json.loads(sys.stdin.readline())
    try:
        result = _renewal(task) if task["certificate"] else {"certificate": _obtain(task)}
    except Problem as problem:
        result = _as_json(problem)
    except (acme_errors.Error, messages.Error, OSError, JoseError, ValueError, KeyError) as error:
        result = _as_json(_problem(error))
    _say(result)


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _as_json(problem: Problem) -> dict[str, Any]:
    detail = " ".join(problem.detail.split())
    return {"problem": problem.kind, "detail": detail, "retry_after": problem.retry_after}


def _network(task: dict[str, Any], key: JWK | None) -> client.ClientNetwork:
    network = client.ClientNetwork(
        key, alg=ES256, user_agent=USER_AGENT, timeout=NETWORK_TIMEOUT, verify_ssl=task["ca"] or True
    )
    network.session.hooks["response"].append(_Waits.note)
    return network


class _Waits:
    """Keeps the last Retry-After of a refusal: the library drops it."""

    seconds = 0

    @classmethod
    def note(cls, response: Any, *_: Any, **__: Any) -> None:
        text = response.headers.get("Retry-After", "")
        cls.seconds = int(text) if response.status_code >= 400 and text.isdigit() else 0


def _obtain(task: dict[str, Any]) -> str:
    """The private key and the chain, PEM, in one text."""
    key = _account_key(Path(task["account"]))
    account = JWKEC(key=key)
    network = _network(task, account)
    acme = client.ClientV2(client.ClientV2.get_directory(task["directory"], network), network)
    _register(acme)
    names = [name for name in task["names"] if as_ip(name) is None]
    addresses = [address for name in task["names"] if (address := as_ip(name)) is not None]
    certificate_key = key_pem(ec.generate_private_key(ec.SECP256R1()))
    request = crypto_util.make_csr(certificate_key, names, ipaddrs=addresses)
    profile = task["profile"] if task["profile"] in (acme.directory.meta.profiles or {}) else None
    failed: Problem | None = None
    for kind in task["challenges"]:
        # A failed challenge spoils its order (RFC 8555 section 7.1.6), so each way has one of its own.
        order = acme.new_order(request, profile)
        try:
            _answer(acme, order, kind, account)
            order = acme.poll_authorizations(order, _deadline(VALIDATION_TIMEOUT))
        except (acme_errors.ValidationError, acme_errors.TimeoutError, Problem) as error:
            failed = _problem(error)
            continue
        order = acme.finalize_order(order, _deadline(ISSUANCE_TIMEOUT))
        return certificate_key.decode() + str(order.fullchain_pem)
    raise failed or Problem("protocol", "there is no way to validate")


def _deadline(seconds: int) -> datetime.datetime:
    return datetime.datetime.now() + datetime.timedelta(seconds=seconds)


def _account_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
        raise Problem("protocol", f"{path} is not the key of an account: remove it, and a new one is made")
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(path, key_pem(key))
    return key


def _register(acme: client.ClientV2) -> None:
    """A new account, or the one that there is for this key: without a contact, as an address is a trace."""
    try:
        acme.new_account(messages.NewRegistration(terms_of_service_agreed=True))
    except acme_errors.ConflictError as known:
        acme.net.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())


def _answer(acme: client.ClientV2, order: messages.OrderResource, kind: str, key: JWK) -> None:
    """Has every name of the order validated by this kind of challenge."""
    for authorization in order.authorizations:
        if authorization.body.status == messages.STATUS_VALID:
            continue
        offered = [one for one in authorization.body.challenges if one.chall.typ == kind]
        if not offered:
            raise Problem("protocol", f"the certificate authority does not validate by {kind}")
        chosen = offered[0]
        _say({
            "challenge": kind,
            "name": authorization.body.identifier.value,
            "token": chosen.chall.encode("token"),
            "key_authorization": chosen.chall.key_authorization(key),
        })  # fmt: skip
        if not sys.stdin.readline():
            raise Problem("timeout", "the relay has gone")
        acme.answer_challenge(chosen, chosen.response(key))


def _renewal(task: dict[str, Any]) -> dict[str, Any]:
    """When the CA wants the certificate renewed (RFC 9773): ms since the epoch, 0 where it does not say."""
    network = _network(task, None)
    acme = client.ClientV2(client.ClientV2.get_directory(task["directory"], network), network)
    when, ask_again = acme.renewal_time(task["certificate"].encode())
    wait = (ask_again - datetime.datetime.now()).total_seconds()
    return {
        "renewal": 0 if when is None else int(when.timestamp() * 1000),
        "ask_again": int(max(0.0, wait) * 1000),
    }


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, acme_errors.ValidationError):
        for authorization in error.failed_authzrs:
            for challenge in authorization.body.challenges:
                if challenge.error is not None:
                    return _told(challenge.error)
    if isinstance(error, acme_errors.IssuanceError):
        return _told(error.error)
    if isinstance(error, messages.Error):
        return _told(error)
    if isinstance(error, acme_errors.TimeoutError):
        return Problem("timeout", "the certificate authority took too long")
    if isinstance(error, OSError):
        # requests' errors are OSErrors; their texts are long and hold object addresses.
        kind = type(error).__name__
        return Problem("unreachable", os.strerror(error.errno) if error.errno else kind)
    return Problem("protocol", f"{type(error).__name__}: {str(error)[:200]}")


def _told(error: messages.Error) -> Problem:
    return Problem(
        (error.typ or "").rpartition(":")[2] or "unknown", (error.detail or "")[:300], _Waits.seconds
    )


if __name__ == "__main__":
    main()
