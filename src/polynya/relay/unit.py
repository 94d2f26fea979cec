"""The relay as a service of systemd: its unit, with no more rights than it needs, and the unit of its sockets."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from polynya.relay.config import RelayConfig
from polynya.relay.errors import ConfigError, RelayError

STATE = Path("/var/lib")
DEFAULT_DATA = STATE / "polynya"
UNITS = Path("/etc/systemd/system")
SERVICE, SOCKET = "polynya.service", "polynya.socket"
HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - named, not used
"""Folders that the unit hides from the relay."""
PATHS = ("site", "tls_cert", "tls_key", "acme_ca", "config")
"""Options that are paths."""


def service_data(config: RelayConfig) -> Path:
    """The service's data folder. Raises ConfigError for one that a service without a user of its own cannot keep."""
    if config.data == RelayConfig().data:
        return DEFAULT_DATA
    if config.data.parent != STATE:
        raise ConfigError(
            f"A service keeps its data in a folder of {STATE}, not in {config.data}. Leave --data out, or give "
            f"{STATE}/NAME."
        )
    return config.data


def service_unit(config: RelayConfig, given: Mapping[str, str], *, with_sockets: bool) -> str:
    """`given`: options of `polynya up` as on the command line, without data. `with_sockets`: systemd opens the ports.
    Raises ConfigError."""
    data = service_data(config)
    start = program()
    options = {**given, "data": str(data)}
    for name in PATHS:
        if name in options:
            options[name] = str(Path(options[name]).expanduser().absolute())
            _check_visible(options[name], f"--{name.replace('_', '-')}")
    words = [*start, "up"]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", value]
    low = [
        port for port in (config.port, config.http_port if config.obtains else None) if port and port < 1024
    ]
    rights = "CAP_NET_BIND_SERVICE" if low and not with_sockets else ""
    requires = f"Requires={SOCKET}\n" if with_sockets else ""
    return f"""\
[Unit]
Description=Polynya relay
Wants=network-online.target
After=network-online.target
{requires}
[Service]
Type=notify
NotifyAccess=main
ExecStart={" ".join(_quoted(word) for word in words)}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
WatchdogSec=60
TimeoutStartSec=300
TimeoutStopSec=30

# A user that exists while the relay runs, and owns its data folder only.
DynamicUser=yes
StateDirectory={data.name}
StateDirectoryMode=0700
UMask=0077
LimitNOFILE=65536

# Ports below 1024 without root.
AmbientCapabilities={rights}
CapabilityBoundingSet={rights}

LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy=multi-user.target
"""


def socket_unit(config: RelayConfig) -> str:
    """The ports of the relay, opened by systemd: whoever connects while it restarts waits instead of being refused."""
    ports = [config.port] + ([config.http_port] if config.obtains and config.http_port else [])
    if config.host.startswith("unix:"):
        listen = f"ListenStream={config.host[5:]}\nSocketMode=0660"
    else:
        host = "" if config.host == "*" else (f"[{config.host}]" if ":" in config.host else config.host) + ":"
        listen = "\n".join(f"ListenStream={host}{port}" for port in ports)
    return f"""\
[Unit]
Description=Ports of the Polynya relay

[Socket]
{listen}
BindIPv6Only=both
Backlog=1024

[Install]
WantedBy=sockets.target
"""


def install(units: Mapping[str, str], folder: Path = UNITS) -> list[Path]:
    """Writes the units by their names. Raises RelayError."""
    written = []
    for name, text in units.items():
        path = folder / name
        try:
            path.write_text(text, "utf-8")
            path.chmod(0o644)
        except OSError as error:
            raise RelayError(
                f"{path} cannot be written ({error.strerror}). Run this as root, or without --install, and put the "
                "text there."
            ) from None
        written.append(path)
    return written


def program() -> list[str]:
    """How this installation is started."""
    folder = Path(sys.executable).parent
    _check_visible(str(folder), "This installation")
    script = folder / "polynya"
    if os.access(script, os.X_OK):
        return [str(script)]
    return [sys.executable, "-m", "polynya"]


def _check_visible(path: str, what: str) -> None:
    for folder in HIDDEN:
        if path == folder or path.startswith(folder + "/"):
            raise ConfigError(
                f"{what} is in {path}, which a service does not see ({folder} is hidden from it). Put it elsewhere, "
                "such as /opt/polynya: docs/operating.md says how."
            )


def _quoted(word: str) -> str:
    """As systemd reads a command line (systemd.service(5)): % and $ stand for themselves."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(character in escaped for character in " \t\\'\"") else escaped
