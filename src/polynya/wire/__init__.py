"""Bytes and values: codecs, sealing, exchanges, sessions and links. No I/O."""
