"""What an operator chooses: from the command line, else the environment, else the configuration file."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from polynya.relay.addresses import as_ip
from polynya.relay.admission import LOOPBACK, Network
from polynya.relay.authority import LETS_ENCRYPT
from polynya.relay.errors import ConfigError
from polynya.relay.limits import Limits
from polynya.wire.links import is_address

PREFIX = "POLYNYA_RELAY_"
"""Of environment variables: POLYNYA_RELAY_PORT is --port."""
REQUIRED, OFF = "required", "off"
TOKENS_BY_DEFAULT = REQUIRED
"""Of the option `tokens`. REQUIRED shuts out clients that do not pay."""
CONFIG_FILE = "relay.toml"
"""In the data folder, unless --config names another."""


def default_data() -> Path:
    return platformdirs.user_data_path("polynya") / "relay"


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """See docs/operating.md for what each is in words."""

    data: Path = field(default_factory=default_data)
    host: str = "127.0.0.1"
    """an address, * for all, or unix:path"""
    port: int = 8420
    """0: any free one"""
    domain: tuple[str, ...] = ()
    """host names of the relay, for which a certificate is obtained; people use the first"""
    public: str = ""
    """the address of this machine for which a certificate is obtained, or auto"""
    behind_proxy: tuple[Network, ...] | None = None
    """where the proxy is that tells whose a connection is"""
    acme_directory: str = LETS_ENCRYPT
    acme_ca: Path | None = None
    """root certificate by which the authority's own server is known"""
    http_port: int | None = 80
    """of plain HTTP beside an obtained certificate; None: no such listener"""
    site: Path | None = None
    """folder of the ordinary web site"""
    origin_url: str | None = None
    """http(s)://host[:port] by which people reach the relay, where it is not host and port"""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    local: str = ""
    """host:port or unix:path of health and metrics, or off; empty: 127.0.0.1 and the next port"""
    tokens: str = TOKENS_BY_DEFAULT
    """REQUIRED or OFF: whether room on the relay is paid for with tokens that its members are issued"""
    limits: Limits = field(default_factory=Limits)

    @property
    def obtains(self) -> bool:
        """Whether the relay gets a certificate by itself."""
        return self.behind_proxy is None and bool(self.domain or self.public)

    @property
    def scheme(self) -> str:
        return "http" if self.tls_cert is None and not self.obtains else "https"


OPTIONS = tuple(option.name for option in dataclasses.fields(RelayConfig) if option.name != "limits")


def load_config(
    given: Mapping[str, str | None], environment: Mapping[str, str], config_file: Path | None = None
) -> RelayConfig:
    """`given` is from the command line, by option name; None where it was not given. Raises ConfigError."""
    chosen: dict[str, tuple[str, str]] = {}
    for name, value in environment.items():
        if name.startswith(PREFIX):
            option = name.removeprefix(PREFIX).lower()
            if option not in OPTIONS:
                known = ", ".join(PREFIX + option.upper() for option in OPTIONS)
                raise ConfigError(f"The environment variable {name} is not known. Known are: {known}.")
            chosen[option] = (value, name)
    for option, text in given.items():
        if text is not None:
            chosen[option] = (text, "--" + option.replace("_", "-"))
    data = Path(chosen["data"][0]).expanduser() if "data" in chosen else default_data()
    table, limits = _read_file(
        data / CONFIG_FILE if config_file is None else config_file, config_file is not None
    )
    values = {option: _option(option, value, source) for option, (value, source) in (table | chosen).items()}
    if "domain" in values or "public" in values:
        values = {**_defaults_of_names(values), **values}
    config = RelayConfig(**values, limits=limits)
    _check(config)
    return config


def _defaults_of_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """A name or public address is for others: all addresses, the usual port; behind a proxy it is the proxy's."""
    if values.get("behind_proxy") is None:
        return {"host": "*", "port": 443}
    return {"origin_url": f"https://{values['domain'][0]}"} if values.get("domain") else {}


def _read_file(path: Path, must_be_there: bool) -> tuple[dict[str, tuple[str, str]], Limits]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        if must_be_there:
            raise ConfigError(f"The configuration file {path} is not there. Check --config.") from None
        return {}, Limits()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} is not valid TOML: {error}.") from None
    except OSError as error:
        raise ConfigError(f"The configuration file {path} cannot be read ({error.strerror}).") from None
    limits = _limits(table.pop("limits", {}), path)
    for name, value in table.items():
        if name not in OPTIONS or name == "data":
            known = ", ".join(option for option in OPTIONS if option != "data")
            raise ConfigError(f"{path}: {name} is not known. Known are {known}, and the table limits.")
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ConfigError(f"{path}: {name} must be text or a number.")
    return {name: (str(value), f"{path}: {name}") for name, value in table.items()}, limits


def _limits(table: Any, path: Path) -> Limits:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: limits must be a table: [limits].")
    kinds = {limit.name: type(limit.default) for limit in dataclasses.fields(Limits)}
    for name, value in table.items():
        if name not in kinds:
            raise ConfigError(f"{path}: there is no limit {name}. There are: {', '.join(kinds)}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ConfigError(f"{path}: the limit {name} must be a number, 0 or more.")
        if kinds[name] is int and not isinstance(value, int):
            raise ConfigError(f"{path}: the limit {name} must be a whole number.")
        if name.endswith(("_per_second", "_burst")) and value == 0:
            raise ConfigError(f"{path}: the limit {name} must be above 0.")
    return Limits(**table)


def _option(option: str, text: str, source: str) -> Any:
    if option == "port":
        if not text.isascii() or not text.isdigit() or int(text) > 65_535:
            raise ConfigError(f"{source}: {text!r} is not a port. A port is a number from 0 to 65535.")
        return int(text)
    if option == "http_port":
        return None if text == "off" else _option("port", text, source)
    if option == "domain":
        return _domain(text, source)
    if option == "public":
        return _public(text, source)
    if option == "behind_proxy":
        return _proxies(text, source)
    if option == "acme_directory":
        if not text.startswith("https://") or len(text.split("/")) < 4:
            raise ConfigError(f"{source}: {text!r} is not an ACME directory. It is an https address.")
        return text
    if option in ("data", "site", "tls_cert", "tls_key", "acme_ca"):
        if not text:
            raise ConfigError(f"{source}: the path is empty.")
        return Path(text).expanduser()
    if option == "origin_url":
        return _origin(text.rstrip("/"), source)
    if option == "local":
        return _local(text, source)
    if option == "tokens":
        if text not in (REQUIRED, OFF):
            raise ConfigError(f"{source}: {text!r} is neither {REQUIRED} nor {OFF}.")
        return text
    if not text or any(character.isspace() for character in text):
        raise ConfigError(f"{source}: {text!r} is not a host name or address.")
    return text


def _origin(text: str, source: str) -> str:
    if not is_address(text) or urlsplit(text).path:
        raise ConfigError(
            f"{source}: {text!r} is not an origin. It is http(s)://host[:port], such as https://chat.example.org."
        )
    return text


_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")


def _domain(text: str, source: str) -> tuple[str, ...]:
    """Host names between commas, in their ASCII form."""
    names: list[str] = []
    for word in text.split(","):
        try:
            name = word.strip().rstrip(".").encode("idna").decode("ascii").lower()
        except UnicodeError:
            name = ""
        if name.startswith("*."):
            raise ConfigError(
                f"{source}: a certificate for {word.strip()} takes changes in the DNS, which the relay cannot make. "
                "Give one of your own with --tls-cert and --tls-key."
            )
        if as_ip(name) is not None:
            raise ConfigError(f"{source}: {name} is an address, not a name. Use --public {name}.")
        labels = name.split(".")
        if len(labels) < 2 or len(name) > 253 or not all(_LABEL.match(label) for label in labels):
            raise ConfigError(
                f"{source}: {word.strip()!r} is not the name of a host, such as chat.example.org."
            )
        names.append(name)
    return tuple(dict.fromkeys(names))


def _public(text: str, source: str) -> str:
    if text == "auto":
        return text
    address = as_ip(text)
    if address is None:
        raise ConfigError(f"{source}: {text!r} is not an address. For a name use --domain.")
    return str(address)


def _proxies(text: str, source: str) -> tuple[Network, ...] | None:
    """`local`, `off`, or addresses and networks between commas."""
    if text in ("off", "local"):
        return None if text == "off" else LOOPBACK
    try:
        return tuple(ipaddress.ip_network(word.strip()) for word in text.split(","))
    except ValueError:
        raise ConfigError(
            f"{source}: {text!r} does not say where the proxy is. It is local, or its address or network."
        ) from None


def _local(text: str, source: str) -> str:
    host, _, port = text.rpartition(":")
    if text in ("", "off") or (text.startswith("unix:") and len(text) > 5):
        return text
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(f"{source}: {text!r} is not host:port, unix:path or off.")
    return text


def _check(config: RelayConfig) -> None:
    if (config.tls_cert is None) != (config.tls_key is None):
        raise ConfigError("TLS needs both files: give --tls-cert and --tls-key.")
    if config.obtains and config.tls_cert is not None:
        raise ConfigError(
            "With --domain or --public the relay gets its certificate by itself. "
            "For one of your own use --origin-url, --tls-cert and --tls-key."
        )
    if config.domain and config.public:
        raise ConfigError("Give --domain or --public: people reach the relay by its name or by its address.")
    if config.site is not None and not config.site.is_dir():
        raise ConfigError(f"The site folder {config.site} is not a folder. Check --site.")
    if config.port == 65_535 and config.local == "":
        raise ConfigError("There is no port after 65535 for health and metrics. Choose one with --local.")
    if config.obtains and config.http_port == config.port and config.port:
        raise ConfigError("--port and --http-port must differ, or be --http-port off.")
    _check_proxy(config)


def _check_proxy(config: RelayConfig) -> None:
    if config.behind_proxy is None:
        if config.host.startswith("unix:"):
            raise ConfigError("Only a proxy reaches a Unix socket. Give --behind-proxy as well.")
        return
    if config.public:
        raise ConfigError(
            "With --behind-proxy the proxy has the certificate. Use --origin-url for its address."
        )
    if config.origin_url is None:
        raise ConfigError(
            "With --behind-proxy the relay must know how people reach the proxy. Give --domain, or --origin-url."
        )
