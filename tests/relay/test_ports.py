"""The one command on a host of its own, with the ports that the world uses, and none of root's rights."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.authority import Authority
from tests.browser.namespaces import Host, network
from tests.support.relay import ROOT

NAME = "chat.example.org"
PATIENCE = 90.0
LAUNCH = """
import os, socket, sys
for number, port in ((10, 443), (11, 80)):
    listener = socket.create_server(("127.0.0.1", port))
    os.dup2(listener.fileno(), number)
for number in (3, 4):
    os.dup2(number + 7, number)
    os.close(number + 7)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"}
os.execvp("setpriv", ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *sys.argv[1:]])
"""
"""Opens the ports as systemd does, gives all rights of root away, and becomes the relay."""
ASK = """
import http.client, socket, ssl, sys
name, root, path = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
with context.wrap_socket(socket.create_connection(("127.0.0.1", 443)), server_hostname=name) as tls:
    tls.sendall(f"GET {path} HTTP/1.1\\r\\nHost: {name}\\r\\nConnection: close\\r\\n\\r\\n".encode())
    print(tls.recv(100).decode("latin-1").splitlines()[0])
"""
ASK_PLAIN = """
import socket, sys
with socket.create_connection(("127.0.0.1", 80)) as plain:
    plain.sendall(f"GET /a HTTP/1.1\\r\\nHost: {sys.argv[1]}\\r\\nConnection: close\\r\\n\\r\\n".encode())
    print(plain.makefile().read())
"""
ROOT_CERTIFICATE = """
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
print(urllib.request.urlopen("https://127.0.0.1:15000/roots/0", context=context).read().decode())
"""


def python(host: Host, code: str, *arguments: str) -> str:
    """What a program on the host prints; empty where it fails."""
    command = host.command([sys.executable, "-c", code, *arguments])
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE).stdout


@pytest.fixture
def host() -> Iterator[Host]:
    with network() as net:
        yield net.host("relay")


@pytest.fixture
def authority(host: Host, tmp_path: Path) -> Iterator[Path]:
    """pebble with its own names on the host; gives the root by which its server is known."""
    own = Authority.create(tmp_path / "server")
    certificate, key = own.issue("127.0.0.1")
    settings = {
        "listenAddress": "127.0.0.1:14000",
        "managementListenAddress": "127.0.0.1:15000",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": 80,
        "tlsPort": 443,
    }
    config = tmp_path / "pebble.json"
    config.write_text(json.dumps({"pebble": settings}))
    quick = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    names = [
        "pebble-challtestsrv",
        "-defaultIPv4",
        "127.0.0.1",
        "-defaultIPv6",
        "",
        "-dns01",
        "127.0.0.1:8053",
    ]
    others = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", "127.0.0.1:8055"]
    servers = [
        host.spawn([*names, *others], quick),
        host.spawn(["pebble", "-config", str(config), "-dnsserver", "127.0.0.1:8053"], quick),
    ]
    issued = tmp_path / "root.pem"
    try:
        deadline = time.monotonic() + PATIENCE
        while not issued.exists() or not issued.read_text():
            assert time.monotonic() < deadline
            issued.write_text(python(host, ROOT_CERTIFICATE, str(own.certificate)))
        yield own.certificate
    finally:
        for server in servers:
            server.kill()
            server.communicate()


@pytest.mark.netns
@pytest.mark.program("pebble")
def test_one_command_makes_a_relay_that_others_reach(host: Host, authority: Path, tmp_path: Path) -> None:
    """Ports 80 and 443, a certificate, a reload: as a user who may open neither port."""
    log = tmp_path / "relay.log"
    up = [sys.executable, "-m", "polynya.relay", "up", "--domain", NAME, "--data", str(tmp_path / "data")]
    with log.open("w") as output:
        relay = subprocess.Popen(
            host.command([
                *(sys.executable, "-c", LAUNCH, *up),
                *("--acme-directory", "https://127.0.0.1:14000/dir", "--acme-ca", str(authority)),
            ]),
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while "Ctrl-C stops the relay." not in log.read_text():
            assert relay.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        text = log.read_text()
        address = re.search(rf"https://{re.escape(NAME)}(/[\w-]+)/\n", text)
        assert address is not None, text
        assert "certificate transparency" in text
        root = str(tmp_path / "root.pem")
        assert python(host, ASK, NAME, root, address[1] + "/keys") == "HTTP/1.1 200 OK\n"
        plain = python(host, ASK_PLAIN, NAME)
        assert plain.startswith("HTTP/1.1 301 ") and f"Location: https://{NAME}/a\n" in plain
        assert "Plain HTTP cannot listen" not in text
        status = Path(f"/proc/{relay.pid}/status").read_text()
        assert re.search(r"CapEff:\s+0{16}\n", status), "it may open no port below 1024 by itself"
        relay.send_signal(signal.SIGHUP)
        while "The configuration was read anew." not in log.read_text():
            assert relay.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        assert python(host, ASK, NAME, root, address[1] + "/keys") == "HTTP/1.1 200 OK\n"
    finally:
        relay.terminate()
        assert relay.wait(PATIENCE) == 0


@pytest.mark.netns
def test_a_port_without_the_right_is_told(host: Host, tmp_path: Path) -> None:
    up = [sys.executable, "-m", "polynya.relay", "up", "--port", "443", "--data", str(tmp_path / "data")]
    done = subprocess.run(
        host.command(["setpriv", "--bounding-set=-all", "--inh-caps=-all", *up]),
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert "Port 443 needs more rights than this user has. Run the relay as a service" in done.stderr
