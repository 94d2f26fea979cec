"""What a process holds, as Linux tells it."""

from __future__ import annotations

import re
from pathlib import Path


def resident(pid: int) -> int:
    """Bytes of memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def handles(pid: int) -> int:
    """Open files and sockets."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
