"""Errors of the relay that an operator sees."""

from __future__ import annotations

from polynya.errors import PolynyaError


class RelayError(PolynyaError):
    """The relay cannot start or go on; the text says what to do about it."""

    code = "relay"


class ConfigError(RelayError):
    """An option, an environment variable or the configuration file is wrong."""

    code = "relay-config"


class DataError(RelayError):
    """The data folder cannot be used."""

    code = "relay-data"
