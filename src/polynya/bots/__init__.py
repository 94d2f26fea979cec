"""Bots: accounts that a program answers for."""

from polynya.bots.bot import Bot
from polynya.bots.incoming import Incoming

__all__ = ["Bot", "Incoming"]
