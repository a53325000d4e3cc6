"""Where the losses come from: segment, step and time together, ranked so that small groups do not win by chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import ibis
from ibis.expr.types import Table

from analysis.facts.calendar import begin
from analysis.facts.population import Facts
from analysis.facts.step_facts import daily_step_facts, entry_days, has_reached, users_of
from analysis.params.counting import Funnel
from analysis.results.funnel import segments_shown, step_before
from analysis.results.small_groups import hidden_cells

MOST_ROWS = 200
UNIT = {"day": "D", "week": "W", "month": "M"}


@dataclass(frozen=True, slots=True)
class Drop:
    """Units of one segment and time that were lost before one step, beside what the step loses everywhere."""

    funnel: str
    by: str                # column of the breakdown, "" where there is none
    segment: str           # its value at entry
    every: str             # length of the time of entry: "day", "week", "month"
    period: date           # its first local day
    position: int          # of the step that was not reached
    step: str
    n_before: int          # units whose window is over and who got to the step before
    n_lost: int
    loss_rate: float       # n_lost / n_before
    pooled_rate: float     # of all segments and times
    shrunk_rate: float     # loss_rate pulled towards the pooled one, the more the fewer units there are
    excess: float          # n_lost - n_before x pooled_rate
    excess_shrunk: float   # n_before x (shrunk_rate - pooled_rate): what the ranking goes by


def drops(facts: Facts, name: str) -> list[Drop]:
    """Cells by what they lose more than the step loses everywhere, largest first, at most MOST_ROWS.

    The rates of one step and breakdown are shrunk together by empirical Bayes: beta-binomial cells, the prior's mean
    the pooled rate, its strength from the moments of the rates (Kleinman 1973, JASA 68:46). Where the rates differ no
    more than chance makes them, nothing stands out. A unit that entered on two days counts in both. Cells of fewer
    than `min_cell_size` users, and those that hide them, are part of the pooled rate but not listed; a single cell has
    nothing to be compared with.
    """
    asked = facts.campaign.funnels[name]
    every = _every(facts, asked)
    units = daily_step_facts(facts, asked, is_mature_only=True)
    units = users_of(facts, asked, units.mutate(period=units.day.truncate(UNIT[every])))
    first = entry_days(facts, asked)[0]
    found = []
    for by in asked.by or [""]:
        cells = _counts(units, asked, by)
        for i in range(2, len(asked.steps) + 1):
            if i not in asked.optional:
                out = _hidden(facts, name, by, cells, step_before(asked, i))
                found += _step(name, asked, by, every, i, cells, first, out)
    listed = [drop for drop in found if drop.excess_shrunk >= 1]
    order = sorted(listed, key=lambda d: (-round(d.excess_shrunk, 9), d.by, d.segment, d.period, d.position))
    return order[:MOST_ROWS]


def shrunk(lost: Sequence[int], n: Sequence[int]) -> list[float]:
    """Posterior means (lost + M p) / (n + M) under a beta prior of mean p = sum(lost) / sum(n) and strength M.

    The spread of the true rates, p (1 - p) g with g = 1 / (M + 1), is chosen so that S = sum of n (rate - p)^2 equals
    what it is expected to be: p (1 - p) [g (N - sum(n^2) / N) + (1 - g) (cells - 1)]; g between 0 and 1.
    """
    total = sum(n)
    p = sum(lost) / total
    if p in (0, 1):
        return [p] * len(n)
    spread = sum(size * (x / size - p) ** 2 for x, size in zip(lost, n, strict=True)) / (p * (1 - p))
    chance = len(n) - 1
    room = total - sum(size**2 for size in n) / total - chance
    g = min(max((spread - chance) / room, 0.0), 1.0) if room > 0 else 0.0
    # with M = (1 - g) / g, written so that g = 0 (all alike) and g = 1 (each for itself) need no case of their own
    return [(g * x + (1 - g) * p) / (g * size + (1 - g)) for x, size in zip(lost, n, strict=True)]


def _every(facts: Facts, asked: Funnel) -> str:
    """Days for a fortnight, weeks for a season, else months: times of entry worth telling apart."""
    first, last = entry_days(facts, asked)
    n_days = (last - first).days + 1
    return "day" if n_days <= 14 else "week" if n_days <= 98 else "month"


def _counts(units: Table, asked: Funnel, by: str) -> list[dict]:
    """Units that reached each step, and their users, by segment and time of entry."""
    segment = units[f"by_{by}"].fill_null("") if by else ibis.literal("")
    units = units.mutate(segment=segment)
    found = units.group_by("segment", "period").aggregate(
        **{f"n_{i}": has_reached(units, i).sum() for i in range(1, len(asked.steps) + 1)},
        **{f"users_{i}": units.user.nunique(where=has_reached(units, i)) for i in range(1, len(asked.steps) + 1)})
    return found.order_by("segment", "period").to_pyarrow().to_pylist()


def _hidden(facts: Facts, name: str, by: str, cells: list[dict], before: int) -> set:
    """(segment, time) of the cells not to be told, by the users who got to the step before."""
    sizes = {(cell["segment"], cell["period"]): cell[f"users_{before}"] for cell in cells}
    told = segments_shown(facts, name, by) if by else [""]
    return hidden_cells(sizes, facts.campaign.min_cell_size, [key for key in sizes if key[0] not in told])


def _step(
    name: str, asked: Funnel, by: str, every: str, i: int, cells: list[dict], first: date, out: set,
) -> Iterator[Drop]:
    cells = [cell for cell in cells if cell[f"n_{step_before(asked, i)}"]]
    if len(cells) < 2:
        return
    n = [cell[f"n_{step_before(asked, i)}"] for cell in cells]
    lost = [before - cell[f"n_{i}"] for cell, before in zip(cells, n, strict=True)]
    pooled = math.fsum(lost) / sum(n)
    for cell, before, gone, rate in zip(cells, n, lost, shrunk(lost, n), strict=True):
        if (cell["segment"], cell["period"]) in out:
            continue
        yield Drop(name, by, cell["segment"], every, max(begin(cell["period"], every), first), i,
                   asked.titles[i - 1], before, gone, gone / before, pooled, rate, gone - before * pooled,
                   before * (rate - pooled))
