"""Writes spec/vectors; `--check` compares and fails on a difference."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from scripts.codecs import schema
from scripts.vectors import basics, codec, exchanges, sealed, signed, tokens
from scripts.vectors.source import Case, Encapsulations, Recorder

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "spec" / "vectors"
ENCAPSULATIONS = FOLDER / "encapsulations.json"


def outputs() -> dict[Path, str]:
    """Each vector file and what it must hold."""
    pool = Encapsulations(ENCAPSULATIONS)
    messages = schema.load(ROOT / "spec" / "messages.toml")

    def new(name: str) -> Recorder:
        return Recorder(name, pool)

    files: dict[str, Case] = {
        "cbor": {"cases": list(codec.cbor_cases())},
        "messages": {"cases": list(codec.message_cases(messages))},
        "padding": {"cases": list(basics.padding_cases())},
        "labels": {"cases": list(basics.label_cases())},
        "receipts": {"cases": list(basics.receipt_cases())},
        "links": {"cases": list(basics.link_cases())},
        "safety": {"cases": list(basics.safety_cases())},
        "records": {"cases": list(sealed.record_cases(new))},
        "contact-requests": {"cases": list(sealed.contact_request_cases(new))},
        "ephemeral": {"cases": list(sealed.ephemeral_cases(new))},
        "files": {"cases": list(sealed.file_cases())},
        "key-packages": {"cases": list(sealed.key_package_cases(new))},
        "cards": {"cases": list(sealed.card_cases(new))},
        "key-configs": {"cases": list(signed.key_config_cases())},
        "credentials": {"cases": list(signed.credential_cases())},
        "device-lists": {"cases": list(signed.device_list_cases())},
        "requests": {"cases": list(signed.request_cases())},
        "exchanges": {"cases": list(exchanges.exchange_cases(new))},
        "sessions": {"cases": list(exchanges.session_cases(new))},
        "tokens": {"cases": list(tokens.token_cases(new))},
        "rfc9458": exchanges.RFC9458,
    }
    for name, content in files.items():
        names = [case["name"] for case in content["cases"]]
        if len(set(names)) != len(names):
            twice = sorted({n for n in names if names.count(n) > 1})
            raise ValueError(f"{name}: two cases of one name: {', '.join(twice)}")
    texts = {FOLDER / f"{name}.json": _text({"count": len(c["cases"]), **c}) for name, c in files.items()}
    return {**texts, ENCAPSULATIONS: _text(pool.used())}


def _text(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    made = outputs()
    stale = [p for p, text in made.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    stale += [p for p in FOLDER.glob("*.json") if p not in made]
    for path in stale:
        if "--check" in arguments or path not in made:
            print(f"differs: {path.relative_to(ROOT)}")
        else:
            path.write_text(made[path], encoding="utf-8")
            print(f"wrote: {path.relative_to(ROOT)}")
    return 1 if "--check" in arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
