"""Data in: files and databases become tables of exact names and types, once, at this border."""

from analysis.data.read import Tables, read
from analysis.data.read_past import PastTables, read_past

__all__ = ["PastTables", "Tables", "read", "read_past"]
