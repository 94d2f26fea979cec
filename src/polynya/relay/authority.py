"""The certificate authority, as the relay sees it: tasks for the process that speaks ACME, and its troubles in
words."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from polynya.relay.errors import RelayError

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
TASK_TIMEOUT = 900.0
"""Seconds for a whole task: two ways of validation, 240 s each, and what is between."""
LINE_MAX = 1 << 20
"""Bytes of a line from the process: a chain is 5 KB."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the process is to do: obtain a certificate for `names`, or, where `certificate` (PEM) is given, ask when
    that is to be renewed."""

    directory: str
    ca: str
    """file of the root that the CA's own server is trusted by; empty: the system's"""
    account: str
    """file of the account's key"""
    names: tuple[str, ...] = ()
    challenges: tuple[str, ...] = ()
    """kinds, in the order in which they are tried"""
    profile: str = ""
    """asked for where the CA offers it"""
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    kind: str
    name: str
    token: str
    key_authorization: str


@dataclass(frozen=True, slots=True)
class Renewal:
    """Both in ms: when to renew (Unix time; 0: the CA does not say), and after how long to ask again."""

    at: int
    ask_again: int


class CertificateError(RelayError):
    """No certificate could be had. `was_refused`: the CA looked and said no, which it counts; `retry_after`: seconds
    that it wants to be left alone, 0 where it did not say."""

    code = "relay-certificate"

    def __init__(self, text: str, *, was_refused: bool = False, retry_after: int = 0) -> None:
        super().__init__(text)
        self.was_refused = was_refused
        self.retry_after = retry_after


async def obtain(task: Task, prepare: Callable[[Challenge], Awaitable[None]]) -> bytes:
    """Key and chain, PEM, in one. `prepare` returns when the challenge can be validated. Raises CertificateError."""
    answer = await _run(task, prepare)
    return str(answer["certificate"]).encode()


async def renewal(task: Task) -> Renewal:
    """Raises CertificateError."""

    async def none(_: Challenge) -> None:
        raise CertificateError("The certificate authority asked for what was not begun.")

    answer = await _run(task, none)
    return Renewal(int(answer["renewal"]), int(answer["ask_again"]))


async def _run(task: Task, prepare: Callable[[Challenge], Awaitable[None]]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "polynya.relay.acme"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        limit=LINE_MAX,
    )
    try:
        async with asyncio.timeout(TASK_TIMEOUT):
            return await _talk(process, task, prepare)
    except TimeoutError:
        raise CertificateError(in_words(task, "timeout", "")) from None
    except (OSError, ValueError, KeyError):
        raise CertificateError(in_words(task, "protocol", "the process that asks it ended early")) from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _talk(
    process: asyncio.subprocess.Process, task: Task, prepare: Callable[[Challenge], Awaitable[None]]
) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:
        raise OSError("no pipes")
    process.stdin.write(json.dumps(asdict(task)).encode() + b"\n")
    while True:
        line: dict[str, Any] = json.loads(await process.stdout.readline())
        if "problem" in line:
            kind, detail = str(line["problem"]), str(line["detail"])
            raise CertificateError(
                in_words(task, kind, detail),
                was_refused=kind not in NOT_COUNTED,
                retry_after=line["retry_after"],
            )
        if "challenge" not in line:
            return line
        await prepare(Challenge(line["challenge"], line["name"], line["token"], line["key_authorization"]))
        process.stdin.write(b"\n")


NOT_COUNTED = ("unreachable", "timeout", "protocol", "serverInternal", "badNonce")
"""Problems after which asking again soon does no harm."""


def in_words(task: Task, kind: str, detail: str) -> str:
    """What happened and what to do about it. `kind` as in `polynya.relay.acme.Problem`."""
    name = ", ".join(task.names)
    host = task.directory.split("/")[2] if "://" in task.directory else task.directory
    ports = " or ".join("80" if kind == "http-01" else "443" for kind in task.challenges) or "443"
    texts = {
        "unreachable": f"The certificate authority {host} cannot be reached from here. Check this machine's network "
        "and name resolution.",
        "timeout": f"The certificate authority {host} did not finish in time.",
        "dns": f"The name {name} has no address. Make an A record (and AAAA, if this machine has IPv6) for it "
        "that says this machine's public address; it can take an hour until everybody sees it.",
        "connection": f"{name} cannot be reached from outside on port {ports}. Check that its A and AAAA "
        "records say this machine's public addresses, and that firewall and provider let the port in.",
        "unauthorized": f"Something else answers at {name}. Check that its A and AAAA records say this machine's "
        "public addresses, and that no other web server, proxy or CDN stands before the relay.",
        "caa": f"A CAA record of {name} forbids this certificate authority. Change it, or choose another with "
        "--acme-directory.",
        "rateLimited": f"{host} has had too many requests for {name} lately. Leave it alone for a while: each new "
        "request makes the wait longer.",
        "rejectedIdentifier": f"{host} gives no certificates for {name}. Check the name, or choose another authority "
        "with --acme-directory.",
        "unsupportedIdentifier": f"{host} gives no certificates for {name}. Choose another authority with "
        "--acme-directory.",
        "externalAccountRequired": f"{host} asks for an account made on its web site, which the relay cannot "
        "use. Choose another authority with --acme-directory.",
        "serverInternal": f"The certificate authority {host} has troubles of its own.",
    }  # fmt: skip
    texts["tls"] = texts["incorrectResponse"] = texts["unauthorized"]
    text = texts.get(kind, f"No certificate could be had from {host} for {name}.")
    return f"{text} It said: {detail.rstrip('.')}." if detail else text


def account_file(folder: Path) -> Path:
    return folder / "account.key"
