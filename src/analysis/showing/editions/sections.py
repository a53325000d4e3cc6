"""Sections about editions, each a sentence and its tables."""

from __future__ import annotations

from analysis.results.editions.change import Since
from analysis.showing.editions import tables, words
from analysis.showing.reader import Reader
from analysis.showing.stack import Stack
from analysis.showing.table import paragraphs


def since(found: Since | None, reader: Reader) -> Stack:
    """What changed since the edition before."""
    if found is None:
        return Stack([paragraphs([reader.say("No earlier edition of this series has a report here.")])])
    shown = [paragraphs([reader.prose(words.summary(found, reader)), *words.turned(found, reader)])]
    shown += [tables.changes(found.changes, reader)] if found.changes else []
    return Stack([*shown, *([tables.left_out(found.left_out, reader)] if found.left_out else [])])
