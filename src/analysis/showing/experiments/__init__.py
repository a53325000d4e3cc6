"""Many experiments side by side, as words, tables and sections."""
