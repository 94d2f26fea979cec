"""Primitives that MLS and the sealed exchange share: hashes, AEADs, signatures, KEMs and HPKE (RFC 9180)."""
