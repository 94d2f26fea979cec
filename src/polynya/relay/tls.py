"""How the relay comes to its certificate: none, the operator's files, or a certificate authority's."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from polynya.crypto.random import Random
from polynya.relay.certificates import Certificate, authority_folder, load_given, server_context
from polynya.relay.challenges import Challenges
from polynya.relay.config import RelayConfig
from polynya.relay.errors import ConfigError
from polynya.relay.public import public_address
from polynya.relay.renewal import Renewals, make_task

SHORT_LIVED = "shortlived"
"""The profile in which Let's Encrypt gives certificates for addresses."""


class Tls:
    """`context` is None where the relay itself speaks no TLS."""

    def __init__(
        self, config: RelayConfig, random: Random, now: Callable[[], int], has_plain_http: bool
    ) -> None:
        self.context: ssl.SSLContext | None = None
        self.names: tuple[str, ...] = ()
        """for which a certificate is obtained"""
        self.renewals: Renewals | None = None
        self._given: Certificate | None = None
        if config.tls_cert is not None and config.tls_key is not None:
            self.context = server_context()
            self._given = load_given(self.context, config.tls_cert, config.tls_key)
        elif config.obtains:
            self.context = server_context()
            self.names = config.domain or (public_address(config.public),)
            folder = authority_folder(config.data, config.acme_directory)
            self._challenges = Challenges(self.context, folder, has_plain_http)
            if config.acme_ca is not None and not config.acme_ca.is_file():
                raise ConfigError(f"The file {config.acme_ca} cannot be read. Check --acme-ca.")
            profile = SHORT_LIVED if config.public else ""
            task = make_task(config.acme_directory, config.acme_ca, folder, self.names, profile)
            self.renewals = Renewals(task, folder, self.context, self._challenges, random, now)
            self.renewals.open()

    @property
    def challenges(self) -> Challenges:
        """Of a relay that obtains its certificate."""
        return self._challenges

    @property
    def certificate(self) -> Certificate | None:
        return self._given if self.renewals is None else self.renewals.certificate

    def reload(self, config: RelayConfig) -> None:
        """Takes the operator's files anew; renews at once what is to be renewed or failed. Raises ConfigError, and the
        old certificate stays in force."""
        if self._given is not None and self.context is not None and config.tls_cert and config.tls_key:
            self._given = load_given(self.context, config.tls_cert, config.tls_key)
        if self.renewals is not None:
            self.renewals.wake()
