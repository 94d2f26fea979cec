"""What a newcomer meets: the README's first commands, word for word, on a bare Debian, as an ordinary user.

Then wheel and sdist, each in a new virtual environment of that Debian, which has no Node. Needs root, for
debootstrap and chroot; mounts live in a mount namespace of their own, so none is left however this ends.

    python -m scripts.fresh

DEBIAN_SUITE and DEBIAN_MIRROR choose another Debian than debootstrap's own default mirror and `bookworm`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USER = "newcomer"
HOME = f"/home/{USER}"
ORIGIN = "/srv/polynya.git"
# Seconds: Python packages, Node, npm packages and the web app on two slow cores and a slow line.
UP_WITHIN = 900
STOP_WITHIN = 30
NETWORK_VARIABLES = re.compile(
    r"(?i)(?:https?|all|no)_proxy|PIP_(?:INDEX_URL|EXTRA_INDEX_URL|CERT|CLIENT_CERT|PROXY|TRUSTED_HOST|DEFAULT_TIMEOUT)"
    r"|NPM_CONFIG_(?:REGISTRY|CAFILE|PROXY|HTTPS_PROXY|NOPROXY)|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|REQUESTS_CA_BUNDLE"
    r"|CURL_CA_BUNDLE|GIT_SSL_CAINFO"
)
PIP_KEYS = {"index-url", "extra-index-url", "cert", "client-cert", "proxy", "trusted-host"}
NPM_KEYS = ("registry", "cafile", "proxy", "https-proxy", "noproxy")


class FreshError(Exception):
    """What did not hold, with the output that shows it."""


def run(arguments: Sequence[str | Path], what: str, **options: object) -> str:
    """Run to the end and return what it printed. Raises FreshError with that where it fails."""
    command = [str(argument) for argument in arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)  # type: ignore[call-overload]
    output: str = done.stdout
    if done.returncode != 0:
        raise FreshError(f"{what} failed (exit code {done.returncode}):\n{output}")
    return output


def readme_block(text: str) -> str:
    """The README's first block of commands."""
    found = re.search(r"(?m)^```(?:sh|console|bash)\n(.*?)^```", text, re.DOTALL)
    if found is None:
        raise FreshError("README.md has no block of commands")
    return found[1].strip()


def readme_packages(text: str) -> list[str]:
    """The Debian packages that the README names as prerequisites."""
    found = re.search(r"apt install ([a-z0-9.+ -]+)", text)
    if found is None:
        raise FreshError("README.md does not say what to install with apt")
    return found[1].split()


def network_environment() -> dict[str, str]:
    """How this machine's pip and npm reach their registries, as environment variables."""
    variables = {name: value for name, value in os.environ.items() if NETWORK_VARIABLES.fullmatch(name)}
    for line in run([sys.executable, "-m", "pip", "config", "list"], "pip config").splitlines():
        key, _, value = line.partition("=")
        key = key.rpartition(".")[2]
        remote = " ".join(word for word in shlex.split(value) if not word.startswith("file:"))
        if key in PIP_KEYS and remote:
            variables.setdefault(f"PIP_{key.upper().replace('-', '_')}", remote)
    npm = Path(sys.executable).parent / "npm"
    for key in NPM_KEYS:
        value = run([npm, "config", "get", key], "npm config").splitlines()[-1].strip()
        if value not in {"null", "undefined", ""}:
            variables.setdefault(f"NPM_CONFIG_{key.upper().replace('-', '_')}", value)
    return variables


class Machine:
    """A bare Debian in a folder, entered by chroot with /proc and /dev of a private mount namespace."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def command(self, arguments: Sequence[str], user: str) -> list[str]:
        """The command line that runs `arguments` inside."""
        mounts = f"mount -t proc proc {self.folder}/proc && mount --rbind /dev {self.folder}/dev"
        enter = f'exec chroot --userspec={user}:{user} {self.folder} "$@"'
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        path = "/usr/local/bin:/usr/bin:/bin" + (":/usr/sbin:/sbin" if user == "root" else "")
        home = "/root" if user == "root" else HOME
        clean = ["env", "-i", f"PATH={path}", f"HOME={home}", f"USER={user}", "TERM=dumb", *variables]
        inside = [*clean, "sh", "-c", 'cd "$HOME" && exec "$@"', "sh", *arguments]
        return [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            f"{mounts} && {enter}",
            "sh",
            *inside,
        ]

    def run(self, script: str, what: str, user: str = USER) -> str:
        return run(self.command(["sh", "-euc", script], user), what, stdin=subprocess.DEVNULL)

    def install(self, packages: Sequence[str]) -> None:
        """Debian's smallest system with these packages, an ordinary user, and the way to the network."""
        suite = os.environ.get("DEBIAN_SUITE", "bookworm")
        mirror = [os.environ["DEBIAN_MIRROR"]] if "DEBIAN_MIRROR" in os.environ else []
        include = f"--include={','.join(packages)}"
        run(["debootstrap", "--variant=minbase", include, suite, self.folder, *mirror], "debootstrap")
        for file in ("/etc/resolv.conf", "/etc/hosts"):
            shutil.copy(file, f"{self.folder}{file}")
        for value in {value for value in self.environment.values() if value.startswith("/")}:
            target = Path(f"{self.folder}{value}")
            if Path(value).is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                shutil.copy(value, target)
        self.run(f"useradd --create-home --shell /bin/bash {USER}", "useradd", user="root")


def wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that `polynya up` prints, once it answers with the web app."""
    deadline = time.monotonic() + UP_WITHIN
    while time.monotonic() < deadline:
        text = log.read_text("utf-8", "replace")
        for address in re.findall(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])[^\s\"'#]*", text):
            try:
                with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310
                    if b"<title>Polynya" in response.read():
                        return str(address)
            except OSError:
                continue
        if process.poll() is not None:
            raise FreshError(f"the README's first command ended (exit code {process.returncode}):\n{text}")
        time.sleep(0.5)
    raise FreshError(f"no relay answered within {UP_WITHIN} s:\n{log.read_text('utf-8', 'replace')}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """What Ctrl-C does: an interrupt to the command's own process group, which must then end by itself."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise FreshError(f"the relay did not stop within {STOP_WITHIN} s of an interrupt") from None


def run_readme(machine: Machine, readme: str, log: Path) -> None:
    """The README's first block, typed by the ordinary user, until the relay answers; then Ctrl-C."""
    block = readme_block(readme)
    clone = re.search(r"git clone (\S+)", block)
    if clone is None:
        block = f"git clone -q {ORIGIN} polynya\ncd polynya\n{block}"
    else:
        # The same words fetch this commit instead of what is published.
        machine.run(f"git config --global url.{ORIGIN}.insteadOf {shlex.quote(clone[1])}", "git config")
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            machine.command(["sh", "-euc", block], USER),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = wait_for_address(process, log)
            print(f"   {address.partition('?')[0]} answers after {time.monotonic() - started:.0f} s")
        finally:
            stop(process)


def build_packages(clone: Path, output: Path) -> tuple[Path, Path]:
    """(wheel, sdist) of the clone, each built from the sources, isolated from this environment."""
    run([sys.executable, "-m", "build", "--sdist", "--wheel", "--outdir", output, clone], "python -m build")
    return next(output.glob("*.whl")), next(output.glob("*.tar.gz"))


def install_package(machine: Machine, package: Path, version: str) -> None:
    """Install into a new environment inside, without Node anywhere, and ask the command for its version."""
    shutil.copy(package, f"{machine.folder}/srv/{package.name}")
    script = f"""
if command -v node npm; then echo "this machine has Node"; exit 1; fi
rm -rf venv && python3 -m venv venv
venv/bin/pip install --verbose '/srv/{package.name}[relay]' 2>&1
test -f "$(venv/bin/python -c 'import polynya; print(polynya.__path__[0])')/webapp/index.html"
echo "version: $(venv/bin/polynya --version)"
"""
    output = machine.run(script, f"installing {package.name}")
    if "nodejs" in output.lower():
        raise FreshError(f"installing {package.name} asked for Node:\n{output}")
    if not re.search(rf"(?m)^version: polynya {re.escape(version)}$", output):
        raise FreshError(f"`polynya --version` of {package.name} is not {version}:\n{output[-2000:]}")
    print(f"   {package.name} installs without Node and runs")


def prove(folder: Path) -> None:
    clone = folder / "clone"
    run(["git", "clone", "-q", "--no-hardlinks", ROOT, clone], "git clone")
    commit = run(["git", "-C", clone, "log", "-1", "--format=%h %s"], "git log").strip()
    print(f"Commit {commit} (what is not committed is not tested)")
    readme = (clone / "README.md").read_text("utf-8")
    packages = readme_packages(readme)
    machine = Machine(folder / "debian", network_environment())
    print(f"A bare Debian with {', '.join(packages)} ...")
    machine.install(packages)
    run(["git", "clone", "-q", "--bare", clone, f"{machine.folder}{ORIGIN}"], "git clone --bare")
    machine.run(f"chown -R {USER}: {ORIGIN}", "chown", user="root")
    print(f"As {USER}: {'; '.join(readme_block(readme).splitlines())}")
    run_readme(machine, readme, folder / "up.log")
    print("Wheel and sdist ...")
    wheel, sdist = build_packages(clone, folder / "dist")
    version = wheel.name.split("-")[1]
    install_package(machine, wheel, version)
    install_package(machine, sdist, version)


def main() -> int:
    if os.geteuid() != 0:
        print("make fresh needs root (debootstrap and chroot): run it with sudo", file=sys.stderr)
        return 1
    missing = [name for name in ("debootstrap", "unshare", "chroot", "git") if shutil.which(name) is None]
    if missing:
        print(
            f"make fresh needs {', '.join(missing)}: apt install debootstrap git",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory(prefix="polynya-fresh-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            prove(folder)
        except FreshError as error:
            print(error, file=sys.stderr)
            return 1
    print("A newcomer's machine does what the README says.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
