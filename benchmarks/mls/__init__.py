"""MLS beside its peers in one run: `python -m benchmarks.mls`, the first part of `make bench`.

`crowd` makes groups as they are after members have lived in them, and plays everybody but the one member that is
measured. Members are programs of their own (`seat` with what it does at `ours` or `mlsrs`, `web/tests/bench`), which
`members` starts and asks; they time themselves. `measure` says what is asked in which order, `storing` measures what a
device keeps, `growth`, `tables` and `report` make the figures readable.
"""
