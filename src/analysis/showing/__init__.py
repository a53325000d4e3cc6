"""Showing: results become tables, figures and sentences in the reader's language. The only layer that rounds."""

from analysis.showing.reader import Reader

__all__ = ["Reader"]
