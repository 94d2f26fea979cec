"""The relay beside its peers."""
