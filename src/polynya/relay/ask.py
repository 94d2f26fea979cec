"""`polynya relay status`: asks the running relay on its local address, and tells it in words."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from polynya.relay.errors import RelayError
from polynya.relay.folder import LOCAL_FILE
from polynya.relay.history import DATABASE_STEP
from polynya.relay.words import amount, at_least, number, span

TIMEOUT = 15.0
"""Seconds: a relay whose disk hangs answers late."""


def ask_status(data: Path, address: str = "") -> dict[str, Any]:
    """What /status says; `address` where it is not what the relay wrote down. Raises RelayError."""
    where = address or _written(data)
    if where == "off":
        raise RelayError(
            "The relay runs without a local address (--local off), so it tells nothing. Leave that out, and restart it."
        )
    try:
        connection = _connection(where)
    except ValueError:
        raise RelayError(f"{where} is not a local address: host:port, or unix:path.") from None
    try:
        connection.request("GET", "/status", headers={"Host": "localhost"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        raise RelayError(
            f"No relay answers at {where}. See whether it runs (systemctl status polynya), or start it: polynya up"
        ) from None
    finally:
        connection.close()
    return answer


def _written(data: Path) -> str:
    try:
        return (data / LOCAL_FILE).read_text("utf-8").strip()
    except OSError:
        raise RelayError(
            f"No relay has been started in {data}, or this user may not read it. Give its folder with --data."
        ) from None


class _Unix(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self._path)


def _connection(where: str) -> http.client.HTTPConnection:
    if where.startswith("unix:"):
        return _Unix(where[5:])
    parts = urlsplit(where if "//" in where else f"//{where}")
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)


def status_text(status: dict[str, Any]) -> str:
    """For a terminal."""
    recent, few = status["recent"], status["few"]
    rows = [
        ("Version", status["version"]),
        ("Running for", span(status["uptime"])),
        ("Sessions", at_least(recent["sessions"], status["few_sessions"])),
        ("Records", f"{number(recent['records'])} a minute" if recent["records"] else f"few (under {few})"),
        ("Deliveries", f"{number(recent['deliveries'])} a minute" if recent["deliveries"] else "few"),
        ("On disk within", _latency(recent, few)),
        ("Processor", f"{number(recent['processor'])} % of a core" if recent["processor"] else "under 1 % of a core"),
        ("Memory", amount(recent["memory"])),
        ("Disk", f"{amount(recent['free'])} free, database {_size(recent['database'])}"),
    ]  # fmt: skip
    if status["certificate"] is not None:
        rows.append(("Certificate", _certificate(status["certificate"])))
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{name:<{width}}{value}" for name, value in rows]
    if not status["problems"]:
        return "\n".join([*lines, "", "Nothing is wrong."])
    for problem in status["problems"]:
        lines += ["", f"! {problem['what']}", f"  {problem['do']}"]
    return "\n".join(lines)


def _size(size: float) -> str:
    return amount(size) if size else f"under {amount(DATABASE_STEP)}"


def _latency(recent: dict[str, Any], few: int) -> str:
    if recent["most"] is None:
        return f"too few records to tell (under {few})"
    return f"{number(recent['half'])} ms (half), {number(recent['most'])} ms (99 of 100)"


def _certificate(certificate: dict[str, Any]) -> str:
    names = ", ".join(certificate["names"])
    if certificate["seconds_left"] <= 0:
        state = "none"
    else:
        state = f"{span(certificate['seconds_left'])} left"
        if certificate["obtained"] and not certificate["problem"]:
            state += ", renewed by itself"
    return f"{names}: {state}" if names else state
