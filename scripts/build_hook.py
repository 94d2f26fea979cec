"""Builds the web app into the package before it is packed; an sdist carries it built, so needs no Node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import webapp

EDITABLE = "editable"  # an editable install serves what `make` has built in place


class WebAppHook(BuildHookInterface[Any]):
    """See https://hatch.pypa.io for the interface."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if webapp.is_prebuilt() else [webapp.node_requirement()]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != EDITABLE and not webapp.is_prebuilt():
            webapp.build()
