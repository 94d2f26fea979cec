"""What the table of MLS rules is computed from: the list, and the checks and tests of both languages."""
