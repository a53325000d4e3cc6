"""The section on effects: what the campaign caused, how sure that is, for whom, and whether it lasts."""
