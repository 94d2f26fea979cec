"""The sans-IO core: events in, commands out. No I/O, no clock, no randomness of its own."""
