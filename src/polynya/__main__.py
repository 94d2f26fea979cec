"""`python -m polynya` is the `polynya` command."""

from __future__ import annotations

import sys

from polynya.cli import main

if __name__ == "__main__":
    sys.exit(main())
