"""Which carrier now: scoring, back-off and memory. Carriers act, paths decide."""
