"""The `polynya` command."""

from polynya.cli.main import main

__all__ = ["main"]
