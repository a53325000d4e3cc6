"""How far users got, step by step, and where they were lost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import ibis
from ibis.expr.types import Table

from analysis.facts.population import Facts
from analysis.facts.step_facts import all_mature, has_reached, step_facts, users_of
from analysis.params.counting import Funnel
from analysis.params.model import Campaign
from analysis.params.period import Period
from analysis.results.small_groups import shown
from analysis.stats.intervals import wilson


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel in one segment; rates are on mature entries only (rule F10).

    The step before is the last one that may not be left out: who skips an optional step is not lost.
    """

    funnel: str
    by: str                # column of the breakdown, "" for the whole funnel
    segment: str           # its value at entry, "" for the whole funnel
    position: int          # 1 .. number of steps
    step: str              # name of the event
    n_reached: int         # units that got at least this far, open windows included
    n_mature: int          # entered units whose window is over at the end of the data
    n_converted: int       # mature units that got at least this far
    rate: float            # n_converted / n_mature
    rate_lower: float      # Wilson
    rate_upper: float
    step_rate: float       # n_converted / n_converted of the step before; 1 at step 1
    step_rate_lower: float # Wilson
    step_rate_upper: float
    n_lost: int            # n_converted of the step before - n_converted; 0 at step 1 and at optional steps
    median_seconds: float  # entry to this step, among mature units that got here
    is_optional: bool = False
    reason: str = ""       # why a rate is nan: "no_entries", "all_open"


def funnels(facts: Facts) -> list[Step]:
    """Every funnel of the params, in their order."""
    return [step for name in facts.campaign.funnels for step in funnel(facts, name)]


def funnel(facts: Facts, name: str) -> list[Step]:
    """Steps of one funnel: the whole, each phase that has data (by "phase"), and each segment of its breakdowns.

    Sorted by breakdown, then by entries (largest segment first), then by position. Segments of too few users, and those
    that would give them away, are left out; so is a median of too few.
    """
    asked = facts.campaign.funnels[name]
    steps = _steps(facts, name, asked, ["", *asked.by])
    return steps if asked.period else steps + _by_phase(facts, name, asked, [step for step in steps if step.by == ""])


def _by_phase(facts: Facts, name: str, asked: Funnel, during: list[Step]) -> list[Step]:
    """The same funnel right before and right after; empty when there are no such entries whose window is over."""
    found = {"during": during}
    for phase in ("before", "after"):
        period = stretch(facts.campaign, asked, phase)
        if period and _is_covered(facts, period):
            found[phase] = _steps(facts, name, asked.model_copy(update={"period": period}), [""])
    shown = [phase for phase in ("before", "during", "after") if found.get(phase) and found[phase][0].n_mature]
    if len(shown) < 2:
        return []
    return [replace(step, by="phase", segment=phase) for phase in shown for step in found[phase]]


def stretch(campaign: Campaign, asked: Funnel, phase: str) -> Period | None:
    """When units enter that are compared with those of the campaign: as long as it, since the best entry of 14 days
    beats that of 7; after it, or before it by the window, since else the campaign would convert them."""
    period = campaign.phase(phase)
    if period is None:
        return None
    start, end = period.interval(campaign.time_zone)
    if phase == "before":
        opens = campaign.period.interval(campaign.time_zone)[0]
        end = min(end, opens - (asked.window or timedelta()))
        start = campaign.shifted(end, -campaign.period.length)
    else:
        end = campaign.shifted(start, campaign.period.length)
    return Period(start=campaign.local(start), end=campaign.local(end))


def _is_covered(facts: Facts, period: Period) -> bool:
    start, end = period.interval(facts.campaign.time_zone)
    return facts.tables.data_from <= start and end <= facts.tables.data_until


def _steps(facts: Facts, name: str, asked: Funnel, columns: list[str]) -> list[Step]:
    entered = step_facts(facts, asked).cache()
    mature = entered if all_mature(facts, asked) else step_facts(facts, asked, is_mature_only=True).cache()
    found = []
    for by in columns:
        reached, matured = _counts(entered, asked, by), _counts(mature, asked, by)
        nobody = {f"n_{i}": 0 for i in range(1, len(asked.steps) + 1)}  # a mature entry may lie in another segment
        every = {segment: reached.get(segment, nobody) for segment in (*reached, *matured)}
        order = sorted(every, key=lambda s: (-every[s]["n_1"], s))
        if by:
            kept = segments_shown(facts, name, by)
            order = [segment for segment in order if segment in kept]
        least = facts.campaign.min_cell_size if by else 0
        for segment in order:
            found += _segment(name, asked, by, segment, every[segment], matured.get(segment), least)
    return found


def _counts(units: Table, asked: Funnel, by: str) -> dict[str, dict]:
    """Segment -> n_i units that reached step i, and median seconds to it."""
    positions = range(1, len(asked.steps) + 1)
    segment = units[f"by_{by}"].fill_null("") if by else ibis.literal("")
    found = units.mutate(segment=segment).group_by("segment").aggregate(
        **{f"n_{i}": has_reached(units, i).sum() for i in positions},
        **{f"median_{i}": units[f"seconds_{i}"].median(where=has_reached(units, i)) for i in positions})
    return {row["segment"]: row for row in found.to_pyarrow().to_pylist()}


def _segment(
    name: str, asked: Funnel, by: str, segment: str, reached: dict, mature: dict | None, least: int,
) -> Iterator[Step]:
    got = [mature[f"n_{i}"] if mature else 0 for i in range(1, len(asked.steps) + 1)]
    entries = got[0]
    for i, title in enumerate(asked.titles, 1):
        converted, before = got[i - 1], got[step_before(asked, i) - 1]
        is_optional = i in asked.optional
        median = mature[f"median_{i}"] if mature and converted >= least else None
        rate, step_rate = share(converted, entries), share(converted, before)
        yield Step(
            name, by, segment, i, title, n_reached=reached[f"n_{i}"], n_mature=entries, n_converted=converted,
            rate=rate[0], rate_lower=rate[1], rate_upper=rate[2], step_rate=step_rate[0], step_rate_lower=step_rate[1],
            step_rate_upper=step_rate[2], n_lost=0 if is_optional else before - converted,
            median_seconds=math.nan if median is None else float(median), is_optional=is_optional,
            reason="" if entries else "all_open" if reached["n_1"] else "no_entries")


def segments_shown(facts: Facts, name: str, by: str) -> list[str]:
    """Segments of one breakdown with enough users (not sessions, not entries) who entered, and whose window is over.

    Counted once; each step's drops ask again.
    """
    key = ("segments shown", name, by)
    if key not in facts.kept:
        facts.kept[key] = _segments_shown(facts, name, by)
    return facts.kept[key]


def _segments_shown(facts: Facts, name: str, by: str) -> list[str]:
    asked, counts = facts.campaign.funnels[name], []
    for is_mature_only in (False, True):
        users = users_of(facts, asked, step_facts(facts, asked, is_mature_only))
        found = users.group_by(segment=users[f"by_{by}"].fill_null("")).aggregate(n=users.user.nunique())
        counts.append({row["segment"]: row["n"] for row in found.to_pyarrow().to_pylist()})
    sizes = {segment: [own.get(segment, 0) for own in counts] for segment in sorted({*counts[0], *counts[1]})}
    return shown(facts, "funnel", sizes, name, by)


def step_before(asked: Funnel, position: int) -> int:
    """Position of the last step before that may not be left out; 1 for step 1."""
    return max((i for i in range(1, position) if i not in asked.optional), default=1)


def share(x: int, n: int) -> tuple[float, float, float]:
    """x / n with its Wilson bounds; nan for n = 0."""
    return (x / n if n else math.nan, *wilson(x, n))
