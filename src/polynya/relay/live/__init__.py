"""Who is to be told now."""
