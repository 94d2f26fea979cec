"""`python -m polynya.relay up`: the relay's commands without the client's."""

import sys

from polynya.relay.cli import main

sys.exit(main())
