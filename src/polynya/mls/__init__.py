"""MLS (RFC 9420). `group` is the way in; every other module is one family of structures or one step."""
