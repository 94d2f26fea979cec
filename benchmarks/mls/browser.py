"""A member in a page of Chromium, bundled as the web app is."""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import TimeoutError, sync_playwright

from benchmarks.mls.members import KIND, LateError, Member
from scripts.screenshots import ARGUMENTS, CHROMIUM, QuietHandler
from scripts.webapp import MODULES, WEB, node_program


class _Isolating(QuietHandler):
    def end_headers(self) -> None:
        """A page that shares its process with no other may read the clock in steps of 5 us instead of 100."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


def build(folder: Path) -> None:
    command = [str(node_program()), str(MODULES / "vite" / "bin" / "vite.js"), "build", "--logLevel", "warn"]
    command += ["--config", "tests/bench/vite.config.ts"]
    subprocess.run(command, cwd=WEB, check=True, env={**os.environ, "BENCH_OUT": str(folder)})


class Browser(Member):
    def __init__(self) -> None:
        super().__init__(KIND["chromium"])
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        build(Path(self._folder.name))
        handler = partial(_Isolating, directory=self._folder.name)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        self._page = self._browser.new_page()
        self._open()

    def _open(self) -> None:
        self._page.goto(f"http://localhost:{self._server.server_address[1]}/")
        self._page.wait_for_function("'bench' in globalThis && crossOriginIsolated")

    def _ask(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        self._page.evaluate("request => { bench(request); }", request)
        try:
            # Rarely, so as not to be in the way; 0 would be no limit.
            self._page.wait_for_function("answer !== null", polling=20, timeout=max(1.0, limit * 1000))
        except TimeoutError:
            self._open()
            raise LateError(f"{self.kind.title}, {request['op']}: no answer in {limit:g} s") from None
        answer: dict[str, Any] = self._page.evaluate("answer")
        if request["op"] == "about":
            answer["data"] = [f"Chromium {self._browser.version}".encode().hex()]
        return answer

    def close(self) -> None:
        self._browser.close()
        self._playwright.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()
