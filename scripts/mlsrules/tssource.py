"""The checks of the TypeScript code, and the tests that name rules, read from the text as it is formatted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

RULE = re.compile(r"'((?:[0-9]+(?:\.[0-9]+)*|state)-[a-z0-9-]+)'")
_OPENING = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|const|let|class) (?P<top>\w+)"
    r"|^  (?:(?:static|async|get|private|public|readonly) )*\*?(?P<method>#?\w+)\(.*\{$",
    re.MULTILINE,
)
_DEFINITION = re.compile(r"^(?:export )?(?:async )?(?:function\*?|const|let|class|interface|type) (\w+)")
_TEST = re.compile(r"^( *)(?:test|it)(?:\.\w+)?\(")
_TITLE = re.compile(r"""(?:test|it|\))\(\s*(['"`])(.*?)\1,""", re.DOTALL)
_IMPORT = re.compile(r"^import (?:type )?\{([^}]*)\} from '\./(\w+)\.ts';", re.MULTILINE)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")


def checks(folder: Path) -> dict[str, list[str]]:
    """Rule id to `file.ts:function` for each place that names it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.ts")):
        text = _without_comments(path.read_text("utf-8"))
        openings = [(m.start(), m.group("top") or m.group("method")) for m in _OPENING.finditer(text)]
        for match in RULE.finditer(text):
            names = [name for start, name in openings if start <= match.start()]
            place = f"{path.name}:{names[-1] if names else ''}"
            if place not in found[match.group(1)]:
                found[match.group(1)].append(place)
    return dict(found)


def tests(folder: Path, ids: Iterable[str]) -> dict[str, list[str]]:
    """Rule id to `file.test.ts: title` for each test that names it, itself or through what it uses beside it."""
    known = frozenset(ids)
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.test.ts")):
        source = _Source.read(path)
        for title, text in source.tests():
            for id_ in sorted(_named(text, source, known)):
                found[id_].append(f"{path.name}: {title}")
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Source:
    """A test file: its lines, its top-level definitions, and those that it imports from files beside it."""

    lines: tuple[str, ...]
    definitions: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> _Source:
        text = _without_comments(path.read_text("utf-8"))
        lines = tuple(text.splitlines())
        definitions = dict(_definitions(lines))
        for match in _IMPORT.finditer(text):
            beside = path.parent / f"{match.group(2)}.ts"
            if beside.is_file():
                other = cls.read(beside).definitions
                for name in _WORD.findall(match.group(1)):
                    if name in other:
                        definitions.update({name: other[name]})
        return cls(lines, definitions)

    def tests(self) -> Iterator[tuple[str, str]]:
        """(title, text) of each test."""
        for number, line in enumerate(self.lines):
            match = _TEST.match(line)
            if match is not None:
                text = _block(self.lines, number, match.group(1))
                title = _TITLE.search(text)
                yield " ".join(title.group(2).split()) if title else f"line {number + 1}", text


def _definitions(lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines):
        match = _DEFINITION.match(line)
        if match is not None:
            yield match.group(1), _block(lines, number, "")


def _block(lines: tuple[str, ...], start: int, indent: str) -> str:
    """From a line to the one that ends what it begins: the first that ends a statement at its own depth."""
    for end in range(start, len(lines)):
        line = lines[end]
        at_depth = line.startswith(indent) and line[len(indent) : len(indent) + 1] not in ("", " ")
        if at_depth and (line.endswith(";") or line[len(indent) :] == "}"):
            return "\n".join(lines[start : end + 1])
    return "\n".join(lines[start:])


def _named(text: str, source: _Source, known: frozenset[str]) -> set[str]:
    ids: set[str] = set()
    seen: set[str] = set()
    waiting = [text]
    while waiting:
        current = waiting.pop()
        ids |= {id_ for id_ in RULE.findall(current) if id_ in known}
        for word in set(_WORD.findall(current)) - seen:
            seen.add(word)
            if word in source.definitions:
                waiting.append(source.definitions[word])
    return ids


def _without_comments(text: str) -> str:
    """Without block comments and whole-line comments; lines keep their numbers."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.DOTALL)
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
