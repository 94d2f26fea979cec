"""The machine that figures come from, in a line."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path


def processor() -> str:
    try:
        found = re.search(r"(?m)^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def describe() -> str:
    """Cores, processor and system."""
    return f"{os.cpu_count()} cores of {processor()}, {platform.system()} {platform.release()}"


def load() -> str:
    """How many programs wanted to run during the last minute, or a question mark."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?"
