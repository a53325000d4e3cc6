"""Showing: results become tables, figures and sentences in the reader's language. The only layer that rounds."""
