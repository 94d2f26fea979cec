"""What the web server in front of a relay needs in its settings, for nginx and Caddy."""

from __future__ import annotations

from pathlib import Path

from polynya.relay.config import RelayConfig
from polynya.relay.errors import DataError
from polynya.relay.folder import PATH_FILE
from polynya.relay.limits import KIB, REQUEST_MAX

SERVERS = ("nginx", "caddy")
READ_TIMEOUT = 180
"""Seconds without a byte from the relay: it pings an idle session after a minute at the latest."""
BODY_MAX = -(-REQUEST_MAX // KIB) + 1
"""KiB of the largest request."""


def proxy_settings(server: str, config: RelayConfig) -> str:
    """The lines for `server`, one of SERVERS. Raises DataError where the relay has no secret path yet."""
    try:
        secret_path = (config.data / PATH_FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise DataError(
            f"There is no secret path in {config.data}. Start the relay there once with: polynya up"
        ) from None
    return _nginx(secret_path, config) if server == "nginx" else _caddy(secret_path, config)


def _upstream(config: RelayConfig) -> str:
    """host:port as both servers write it."""
    host = "127.0.0.1" if config.host in ("*", "0.0.0.0", "::") else config.host  # noqa: S104 - compared only
    return f"[{host}]:{config.port}" if ":" in host else f"{host}:{config.port}"


def _unix_path(config: RelayConfig) -> Path | None:
    return Path(config.host[5:]) if config.host.startswith("unix:") else None


def _nginx(secret_path: str, config: RelayConfig) -> str:
    socket = _unix_path(config)
    upstream = f"http://{_upstream(config)}" if socket is None else f"http://unix:{socket}"
    common = f"""\
    proxy_pass {upstream};
    proxy_http_version 1.1;
    proxy_set_header Host $host;
    # In place of whatever the client says: the relay counts connections by it.
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_read_timeout {READ_TIMEOUT}s;
    proxy_send_timeout {READ_TIMEOUT}s;
    client_max_body_size {BODY_MAX}k;
    # Both would keep people's addresses, and the path that opens the relay.
    access_log off;
    error_log /dev/null;
"""
    return f"""\
# For nginx: inside the `server` block of your site, the one that listens on 443.
# Then: nginx -t && systemctl reload nginx
location /{secret_path}/ {{
{common}    proxy_set_header Connection "";
}}
location = /{secret_path}/s {{
{common}    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
}}
"""


def _caddy(secret_path: str, config: RelayConfig) -> str:
    socket = _unix_path(config)
    upstream = _upstream(config) if socket is None else f"unix/{socket}"
    return f"""\
# For Caddy: inside the block of your site. Then: systemctl reload caddy
# Caddy tells the relay who connects by itself. If the site has `log`, leave the path out of it: it opens the relay.
@relay path /{secret_path} /{secret_path}/*
handle @relay {{
	request_body {{
		max_size {BODY_MAX}KiB
	}}
	reverse_proxy {upstream} {{
		flush_interval -1
		header_down -Server
	}}
}}
"""
