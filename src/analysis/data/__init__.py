"""Data in: files and databases become tables of exact names and types, once, at this border."""
