"""A campaign that came again: what changed between its editions, and what can no longer be compared."""
