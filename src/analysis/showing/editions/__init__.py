"""Editions of a campaign beside each other: words, tables, charts."""
