"""Every message, enum and constant of spec/messages.toml, with its encoder and decoder."""

from polynya.wire._messages import *  # noqa: F403
from polynya.wire._messages import __all__ as __all__
