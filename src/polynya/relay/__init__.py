"""The relay: keeps and delivers records that it cannot read. Needs the `relay` extra."""
