"""Writers of spec/vectors: bytes that must and must not be accepted, replayed by both languages."""
