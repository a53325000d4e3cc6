"""A campaign before it runs, as words, tables and sections."""
