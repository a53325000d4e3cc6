"""What those who were lost did next, beside what those who went on did next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from analysis.facts.next_events import next_events
from analysis.facts.population import Facts
from analysis.results.funnel import share
from analysis.stats.score import score_ratio


@dataclass(frozen=True, slots=True)
class LostTo:
    """The next event of units that were lost after one step, and how much commoner it is than among the others.

    A description: what someone did next need not be why they did not go on.
    """

    funnel: str
    position: int          # of the last step that they reached
    step: str
    event: str             # "" where nothing came within the window
    n_lost: int            # units lost after the step
    n: int                 # of them, those whose next event it was
    share: float           # n / n_lost
    share_lower: float     # Wilson
    share_upper: float
    n_went_on: int         # units that went on from the step
    n_base: int            # of them, those whose next event it was
    base_rate: float       # n_base / n_went_on; nan where nobody went on
    lift: float            # share / base_rate
    lift_lower: float      # score interval of the ratio
    lift_upper: float
    reason: str = ""       # why the lift is nan: "nobody_went_on"; "by_definition", as who goes on does something;
                           # "few_went_on_so": fewer than `min_cell_size` of those who went on did this first


def lost_to(facts: Facts, name: str) -> list[LostTo]:
    """Per step but the last the next events of those lost there, commonest first.

    Events of fewer than `min_cell_size` of the lost are left out, and so are steps that lost fewer.
    """
    asked = facts.campaign.funnels[name]
    counts, least = next_events(facts, asked), facts.campaign.min_cell_size
    return [row for i, title in enumerate(asked.titles[:-1], 1) for row in _after(name, i, title, counts, least)]


def _after(name: str, position: int, step: str, counts: list[dict], least: int) -> Iterator[LostTo]:
    own = [row for row in counts if row["position"] == position]
    lost = {row["event"]: row["n"] for row in own if row["is_lost"]}
    went_on = {row["event"]: row["n"] for row in own if not row["is_lost"]}
    n_lost, n_base = sum(lost.values()), sum(went_on.values())
    for event, n in sorted(lost.items(), key=lambda item: (-item[1], item[0])):
        if n >= least:
            base = went_on.get(event, 0)
            rate = base / n_base if n_base else math.nan
            lift = (math.nan,) * 3
            reason = _reason(event, base, n_base, least)
            if not reason:
                lift = (n / n_lost / rate, *score_ratio(n, n_lost, base, n_base))
            yield LostTo(name, position, step, event, n_lost, n, *share(n, n_lost), n_base, base, rate, *lift, reason)


def _reason(event: str, base: int, n_base: int, least: int) -> str:
    if not n_base:
        return "nobody_went_on"
    if not event:
        return "by_definition"
    return "few_went_on_so" if base < least else ""
