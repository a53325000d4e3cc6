"""All that is asked of the campaign's funnels beside their steps, counted from the same records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.facts.population import Facts
from analysis.facts.step_facts import has_reached, rows_without_unit, step_facts
from analysis.params.counting import Funnel
from analysis.results.conversion import SegmentGap, StepEffect, arm_effects, segment_gaps
from analysis.results.drops import Drop, drops
from analysis.results.entry_days import EntryDay, by_entry_day
from analysis.results.funnel import Step
from analysis.results.lost_to import LostTo, lost_to
from analysis.results.survival import Moment, TimeToConvert, time_to_convert


@dataclass(frozen=True, slots=True)
class Counted:
    """What the rules of one funnel left out, for the definitions."""

    funnel: str
    n_rows_without_unit: int       # rows of steps that name no session, order, ...
    n_excluded_entries: int        # units that entered and that `remove_user` took out
    n_excluded_conversions: int    # units that would have converted without the exclusions


@dataclass(frozen=True, slots=True)
class Paths:
    """The evidence around every funnel; each list is empty where the data or the params give no such thing."""

    effects: list[StepEffect] = field(default_factory=list)
    gaps: list[SegmentGap] = field(default_factory=list)
    times: list[TimeToConvert] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    days: list[EntryDay] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    lost_to: list[LostTo] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)


def paths(facts: Facts, steps: Sequence[Step]) -> Paths:
    """Of every funnel who converts better; of the first, which is the campaign's own, also when, on which day, and
    where the lost were and went. The other funnels are there to compare with.

    steps   of `funnel.funnels`
    """
    found, first = Paths(), next(iter(facts.campaign.funnels), "")
    for name, asked in facts.campaign.funnels.items():
        own = [step for step in steps if step.funnel == name]
        found.counted.append(_counted(facts, name, asked))
        found.gaps.extend(segment_gaps(own, asked))
        found.effects.extend(arm_effects(facts, name) if own else [])
        if not own or name != first:
            continue
        moments, time = time_to_convert(facts, name)
        found.moments.extend(moments)
        found.times.extend([time] if time else [])
        found.days.extend(by_entry_day(facts, name))
        found.drops.extend(drops(facts, name))
        found.lost_to.extend(lost_to(facts, name))
    return found


def _counted(facts: Facts, name: str, asked: Funnel) -> Counted:
    without_unit = rows_without_unit(facts, asked)
    if not asked.exclusions:
        return Counted(name, without_unit, 0, 0)
    lenient = asked.model_copy(update={"exclusions": [], "excluded": "break_attempt"})
    (entered, converted), (all_entered, all_converted) = (_ends(facts, each) for each in (asked, lenient))
    return Counted(name, without_unit, all_entered - entered, all_converted - converted)


def _ends(facts: Facts, asked: Funnel) -> tuple[int, int]:
    """Units that entered, and that reached the last step."""
    units = step_facts(facts, asked)
    row = units.aggregate(n=units.count(), done=has_reached(units, len(asked.steps)).sum()).to_pyarrow().to_pylist()[0]
    return row["n"], row["done"] or 0
