"""The section on funnels: what each of them shows follows the data; what is not there leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.facts.population import Facts
from analysis.results.conversion import SegmentGap
from analysis.results.funnel import Step
from analysis.results.paths import Paths
from analysis.showing import figures
from analysis.showing.funnels import tables, words
from analysis.showing.picture import show
from analysis.showing.reader import Reader
from analysis.showing.stack import Stack
from analysis.showing.table import paragraphs


def funnels(facts: Facts, steps: Sequence[Step], found: Paths, reader: Reader) -> Stack:
    """Every funnel: the whole, the arms, when and on which day, where the lost went, then each breakdown."""
    if not steps:
        return Stack([paragraphs([reader.say("The params name no funnels.")])])
    shown = Stack([paragraphs([words.unlike_metrics(reader)])] if any(
        asked.ranges != "events" for asked in facts.campaign.funnels.values()) else [])
    for name in dict.fromkeys(step.funnel for step in steps):
        own = [step for step in steps if step.funnel == name]
        shown += [show(figures.plot_funnel(own, reader), words.whole(own, reader)), tables.whole(own, reader)]
        shown += _arms(facts, name, found, reader) + _times(name, found, reader) + _losses(name, found, reader)
        gaps = [gap for gap in found.gaps if gap.funnel == name]
        for by in dict.fromkeys(step.by for step in own if step.by):
            shown += _breakdown(facts, [step for step in own if step.by == by], by, gaps, reader)
    return shown


def _arms(facts: Facts, name: str, found: Paths, reader: Reader) -> list[object]:
    rows = [row for row in found.effects if row.funnel == name]
    if not rows:
        return []
    said = paragraphs(words.effects(rows, facts.campaign.funnels[name], reader), "note")
    if all(row.is_check for row in rows):
        return [said]
    return [said, show(figures.plot_step_effects(rows, reader), words.step_effects(rows, reader)),
            tables.effects(rows, reader)]


def _times(name: str, found: Paths, reader: Reader) -> list[object]:
    shown: list[object] = []
    moments = [moment for moment in found.moments if moment.funnel == name]
    if moments:
        time = next(time for time in found.times if time.funnel == name)
        shown += [show(figures.plot_time_to_convert(moments, reader), words.time_to_convert(moments, time, reader)),
                  tables.time_to_convert(moments, reader)]
    days = [day for day in found.days if day.funnel == name]
    if days:
        shown += [show(figures.plot_entry_days(days, reader), words.entry_days(days, reader)),
                  tables.entry_days(days, reader)]
    return shown


def _losses(name: str, found: Paths, reader: Reader) -> list[object]:
    shown: list[object] = []
    lost = [row for row in found.lost_to if row.funnel == name]
    if lost:
        shown += [paragraphs([words.lost_to(lost, reader)]), tables.lost_to(lost, reader)]
    drops = [row for row in found.drops if row.funnel == name]
    if drops:
        shown += [paragraphs([words.drops(drops, reader)]), tables.drops(drops, reader)]
    return shown


def _breakdown(
    facts: Facts, steps: Sequence[Step], by: str, gaps: Sequence[SegmentGap], reader: Reader,
) -> list[object]:
    if by == "phase":
        said = [words.phases(list(steps), reader), words.time_before(facts.campaign, steps, reader)]
        return [paragraphs([sentence for sentence in said if sentence]), tables.by_segment(steps, by, reader)]
    return [show(figures.plot_funnel_by(list(steps), reader), words.by_segment(list(steps), by, reader)),
            tables.by_segment(steps, by, reader, gaps)]
