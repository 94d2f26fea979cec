"""The list of rules in `spec/mls-rules.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("python", "typescript")
FORMS = frozenset({"by", "application", "construction", "accepts", "only"})


@dataclass(frozen=True, slots=True)
class Rule:
    """`form` is one of FORMS, or "check" for a rule that both languages check; `note` its reason or place."""

    id: str
    section: str
    says: str
    form: str
    note: str
    by: tuple[str, ...] = ()
    only: str | None = None

    def is_checked_in(self, language: str) -> bool:
        return self.form == "check" or self.only == language

    def needs_tests_in(self, language: str) -> bool:
        return self.is_checked_in(language) or self.form == "accepts"


def read_rules(path: Path) -> list[Rule]:
    """In the order of the file; raises ValueError where an entry has another shape."""
    rules = []
    for section, words in tomllib.loads(path.read_text("utf-8")).items():
        for word, value in words.items():
            rules.append(_rule(section, word, value))
    return rules


def _rule(section: str, word: str, value: object) -> Rule:
    id_ = f"{section}-{word}"
    if isinstance(value, str):
        return Rule(id_, section, value, "check", "")
    if not isinstance(value, dict) or "says" not in value:
        raise ValueError(f"{id_}: neither a sentence nor a table with one")
    forms = [form for form in ("only", "by", "application", "construction", "accepts") if form in value]
    if not forms or set(value) - {"says", "why"} - FORMS:
        raise ValueError(f"{id_}: one of {', '.join(sorted(FORMS))} is needed, and nothing else")
    only = value.get("only")
    if (only is None) is not ("why" not in value) or only not in (None, *LANGUAGES):
        raise ValueError(f"{id_}: `only` names a language and goes with `why`")
    note = value.get("why") or value.get("application") or value.get("construction") or ""
    return Rule(id_, section, str(value["says"]), forms[0], str(note), tuple(value.get("by", ())), only)
