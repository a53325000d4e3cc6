"""Who came back: retention by cohort and period."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

from analysis.facts.activity_facts import CohortCell, cohort_cells
from analysis.facts.fold.returns import FLAVOURS as COUNTED
from analysis.facts.population import Facts
from analysis.results.small_groups import shown
from analysis.stats.intervals import wilson

COUNTS = {"on_or_after": "n_on_or_after", "on": "n_on", "streak": "n_streak", "previous": "n_again"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cohort in one period; absent, not zero, while the period has not begun (R5)."""

    flavour: str           # "on_or_after" (came back to stay), "on" (habit), "streak" (every period so far) or
    #                        "previous" (of those who came back in the period before)
    cohort: date | None    # first day of the cohort's period; None for all cohorts whose period is complete (R6)
    period: int            # 0 is the cohort's own period
    n_users: int           # users at risk: of the cohort; for "previous", of them who came back in the period before
    n_retained: int        # so far, where the period is not complete
    rate: float            # n_retained / n_users; nan while the period is not complete
    rate_lower: float      # Wilson; of a mean over cohorts, from theirs (MOVER)
    rate_upper: float
    reason: str = ""       # why the rate is nan: "not_over", "gap" (a day without data, R9), "none_before"; or why it
    #                        has no interval: "users_repeat" (in several cohorts)


def retention(facts: Facts) -> list[Cell]:
    """Cells of the flavours that the params ask for, for all cohorts together and for each that has users.

    Sorted by flavour, all together first, then by cohort and period. Cohorts of few users are in the whole only; a
    simple mean of cohorts is without them.
    """
    asked = facts.campaign.retention
    if asked is None:
        return []
    counted = cohort_cells(facts, asked)
    told = _shown(facts, counted)
    return [cell for flavour in asked.flavours for cell in _flavour(counted, flavour, asked.average, asked.who, told)]


def _shown(facts: Facts, counted: Sequence[CohortCell]) -> list[date]:
    """Cohorts that may be shown: each period has a total, of the cohorts for which it is complete."""
    periods = sorted({c.cell for c in counted})
    sizes: dict[date, list[int]] = {}
    for c in sorted(counted, key=lambda c: c.cohort):
        own = sizes.setdefault(c.cohort, [0] * (len(periods) + 1))
        own[0] += c.n_users if c.cell == 0 else 0
        own[1 + periods.index(c.cell)] += c.n_users if c.is_complete else 0
    return shown(facts, "cohorts", sizes)


def _flavour(
    counted: Sequence[CohortCell], flavour: str, average: str, who: str, told: Sequence[date],
) -> Iterator[Cell]:
    own = list(cells(counted, flavour))
    if average == "cohorts":
        own = [cell for cell in own if cell.cohort in told]
    for period in sorted({cell.period for cell in own}):
        complete = [cell for cell in own if cell.period == period and not cell.reason]
        if complete:
            together = _mean(complete) if average == "cohorts" else _pooled(complete)
            if who == "recurring" and period:
                together = replace(together, rate_lower=math.nan, rate_upper=math.nan, reason="users_repeat")
            yield together
    yield from (cell for cell in own if cell.cohort in told)


def cells(counted: Sequence[CohortCell], flavour: str) -> Iterator[Cell]:
    """Cells of each cohort that has users, segments added up, under one flavour."""
    by_cohort = groupby(sorted(counted, key=lambda c: (c.cohort, c.cell)), key=lambda c: c.cohort)
    for cohort, found in by_cohort:
        parts = [list(same) for _, same in groupby(found, key=lambda c: c.cell)]
        own = [{name: sum(getattr(part, name) for part in same) for name in ("n_users", *COUNTED)} for same in parts]
        for period, (same, n) in enumerate(zip(parts, own, strict=True)):
            at_risk = own[period - 1]["n_on"] if flavour == "previous" and period > 1 else n["n_users"]
            since = {"streak": 1, "previous": max(period - 1, 1)}.get(flavour, max(period, 1))   # period 0 is a count
            has_gap = any(part.has_gap for looked in parts[since:period + 1] for part in looked)
            reason = "gap" if has_gap else "" if same[0].is_over else "not_over"
            if n["n_users"]:
                yield _cell(flavour, cohort, period, at_risk, n[COUNTS[flavour]] if period else at_risk, reason)


def pooled(counted: Sequence[CohortCell], flavour: str) -> Iterator[tuple[int, int, int]]:
    """(period, users of the cohorts whose period is complete, how many of them came back), by period (rule R6)."""
    own = list(cells(counted, flavour))
    for period in sorted({cell.period for cell in own}):
        complete = [cell for cell in own if cell.period == period and cell.reason in ("", "none_before")]
        yield period, sum(cell.n_users for cell in complete), sum(cell.n_retained for cell in complete)


def mean_rate(counted: Sequence[CohortCell], flavour: str, period: int) -> float:
    """Simple mean of the rates of the cohorts whose period is complete."""
    return _mean([c for c in cells(counted, flavour) if c.period == period and not c.reason]).rate


def _pooled(complete: Sequence[Cell]) -> Cell:
    n_users, n_retained = sum(cell.n_users for cell in complete), sum(cell.n_retained for cell in complete)
    return _cell(complete[0].flavour, None, complete[0].period, n_users, n_retained)


def _mean(complete: Sequence[Cell]) -> Cell:
    """Simple mean of the cohorts' rates; bounds by the method of variance estimates recovery (Zou, Donner 2008,
    Statistics in Medicine 27:1693)."""
    m, rate = len(complete), math.fsum(cell.rate for cell in complete) / len(complete)
    below = math.sqrt(math.fsum((cell.rate - cell.rate_lower) ** 2 for cell in complete)) / m
    above = math.sqrt(math.fsum((cell.rate_upper - cell.rate) ** 2 for cell in complete)) / m
    return replace(_pooled(complete), rate=rate, rate_lower=rate - below, rate_upper=rate + above)


def _cell(flavour: str, cohort: date | None, period: int, n_users: int, n_retained: int, reason: str = "") -> Cell:
    reason = reason or ("" if n_users else "none_before")
    if reason:
        return Cell(flavour, cohort, period, n_users, n_retained, math.nan, math.nan, math.nan, reason)
    return Cell(flavour, cohort, period, n_users, n_retained, n_retained / n_users, *wilson(n_retained, n_users))
