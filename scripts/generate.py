"""Writes what spec/messages.toml and spec/state.toml define: codecs in both languages, and the spec's tables.

`python -m scripts.generate` writes, `python -m scripts.generate --check` compares and fails on a difference.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.codecs import markdown, python, schema, state, typescript

ROOT = Path(__file__).resolve().parent.parent


def outputs() -> dict[Path, str]:
    """Each generated file and what it must hold."""
    messages = schema.load(ROOT / "spec" / "messages.toml")
    saved = state.load(ROOT / "spec" / "state.toml", messages)
    return {
        ROOT / "src/polynya/wire/_messages.py": python.render(messages),
        ROOT / "web/src/wire/_messages.ts": typescript.render(messages),
        ROOT / "web/src/wire/_messages_rest.ts": typescript.render_later(messages),
        ROOT / "spec/messages.md": markdown.render(messages),
        ROOT / "src/polynya/core/_state.py": state.render_python(saved),
        ROOT / "web/src/core/_state.ts": state.render_typescript(saved, later=False),
        ROOT / "web/src/core/_state_rest.ts": state.render_typescript(saved, later=True),
    }


def main(arguments: list[str]) -> int:
    stale = [p for p, text in outputs().items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{'differs' if '--check' in arguments else 'wrote'}: {path.relative_to(ROOT)}")
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(outputs()[path], encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
