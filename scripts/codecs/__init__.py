"""Generators of the codecs from spec/messages.toml."""
