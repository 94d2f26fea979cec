"""Ways for sealed bytes to reach a relay, one file each. A carrier knows nothing of what it moves."""
