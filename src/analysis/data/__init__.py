"""Data in: files and databases become tables of exact names and types, once, at this border."""

from analysis.data.read import Tables, read

__all__ = ["Tables", "read"]
