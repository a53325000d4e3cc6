"""What the page shows of effects."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.facts.population import Facts
from analysis.results.belief import Belief
from analysis.results.novelty import DayEffect, Novelty
from analysis.results.quantiles import QuantileEffect
from analysis.results.relabelled import Calibration
from analysis.results.segments import SegmentEffect, SegmentTest
from analysis.results.uplift import Uplift
from analysis.results.views import View
from analysis.showing import figures
from analysis.showing import tables as plain_tables
from analysis.showing import words as plain_words
from analysis.showing.effects import tables, words
from analysis.showing.picture import show
from analysis.showing.reader import Reader
from analysis.showing.stack import Stack
from analysis.showing.table import paragraphs


def effects(facts: Facts, rows: Sequence[Uplift], reader: Reader) -> Stack:
    """Effects against control: what the arm got in all, the forest of relative effects, the table, and how."""
    if not rows:
        return _nothing(reader.say("The campaign has no arms, so there is no effect to show."))
    added = [plain_words.added(row, reader) for row in rows if row.role == "primary" and row.total == row.total]
    how = words.how(facts, rows, reader)
    return Stack([*([paragraphs(added)] if added else []), *([paragraphs(how, "note")] if how else []),
                  show(figures.plot_uplifts(rows, reader), plain_words.uplifts(rows, reader)),
                  plain_tables.uplifts(rows, reader)])


def quantiles(rows: Sequence[QuantileEffect], reader: Reader) -> Stack:
    """What became of quantiles of rows, where the params name some."""
    if not rows:
        return _nothing(reader.say("The params name no quantiles of rows."))
    return Stack([tables.quantiles(rows, reader)])


def sureness(
    rows: Sequence[Uplift], found: Sequence[View], again: Sequence[Calibration], beliefs: Sequence[Belief],
    reader: Reader,
) -> Stack:
    """Does the answer hang on the method? Other methods, shuffled labels, the answer of a prior that was stated."""
    if not rows:
        return _nothing(reader.say("The campaign has no arms, so there is no effect to show."))
    said = [plain_words.false_alarms(again, reader)] if any(not row.reason for row in again) else []
    if any(view.metric == row.metric for view in found for row in rows if row.role == "primary"):
        said.append(words.views(rows, found, reader))
    said += [words.belief(row, reader) for row in beliefs]
    said += [words.stop_any_time(row, reader) for row in beliefs[:1] if not row.reason]
    table = tables.views(rows, found, reader)
    return Stack([*([paragraphs(said)] if said else []), *([table] if table.rows else [])])


def segments(rows: Sequence[SegmentEffect], tests: Sequence[SegmentTest], reader: Reader) -> Stack:
    """For whom did it work? A chart per column that the params name, and one sentence on each."""
    if not tests:
        return _nothing(reader.say("The params name no segments of effects."))
    shown = Stack()
    has_arms = len({test.arm for test in tests}) > 1
    for by in dict.fromkeys(test.by for test in tests):
        own, of_column = [row for row in rows if row.by == by], [test for test in tests if test.by == by]
        sentence = reader.prose([words.segment_test(test, has_arms, reader) for test in of_column])
        shown += ([show(figures.plot_segments(own, of_column, reader), sentence), tables.segments(own, reader)] if own
                  else [paragraphs([sentence])])
    return shown


def lasting(lines: Sequence[Novelty], days: Sequence[DayEffect], reader: Reader) -> Stack:
    """Does the effect wear off? Nothing where the campaign is too short, or its metric has no days."""
    if not lines:
        return _nothing(reader.say("The campaign has no arms, so there is no effect to show."))
    known = [line for line in lines if not line.reason]
    if not known:
        return Stack()
    sentence = reader.prose([words.novelty(line, reader) for line in known])
    return Stack([show(figures.plot_effect_days(days, known, reader), sentence)])


def _nothing(sentence: str) -> Stack:
    return Stack([paragraphs([sentence])])
