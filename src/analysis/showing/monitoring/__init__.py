"""A running campaign, as words, tables and sections."""
