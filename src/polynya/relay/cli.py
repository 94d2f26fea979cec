"""The relay's commands by themselves: what `polynya up` and `polynya relay` run, and `python -m
polynya.relay`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from polynya.relay.command import add_commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; gives the exit code."""
    parser = argparse.ArgumentParser(prog="polynya")
    add_commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
    parsed = parser.parse_args(arguments)
    code: int = parsed.run(parsed)
    return code
