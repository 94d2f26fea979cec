"""Polynya: a messenger for people whose messenger has been blocked."""

__version__ = "0.1.0"
