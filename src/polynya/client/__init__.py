"""A device's account: its store, the loop that runs the core, and the SDK on top."""

from polynya.client.client import Client

__all__ = ["Client"]
