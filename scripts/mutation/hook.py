"""Imports the project's modules with their sites in place, without a change on disk."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

from scripts.mutation.sites import rewrite, scope_of

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "polynya"


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = Path(self.path)
        file = path.relative_to(PACKAGE).as_posix()
        scope = scope_of(file)
        source = path.read_text("utf-8")
        tree = source if scope is None else rewrite(source, file, scope)[0]
        code: CodeType = compile(tree, self.path, "exec", dont_inherit=True)
        return code


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != "polynya":
            return None
        place = PACKAGE.joinpath(*fullname.split(".")[1:])
        is_package = place.is_dir()
        file = place / "__init__.py" if is_package else place.with_suffix(".py")
        if not file.is_file():
            return None
        loader = _Loader(fullname, str(file))
        return importlib.util.spec_from_file_location(
            fullname, file, loader=loader, submodule_search_locations=[str(place)] if is_package else None
        )


def install() -> None:
    """From here on; nothing of the project may have been imported."""
    early = sorted(name for name in sys.modules if name.partition(".")[0] == "polynya")
    if early:
        raise RuntimeError(f"imported before its sites were in place: {', '.join(early[:3])}")
    sys.meta_path.insert(0, _Finder())
