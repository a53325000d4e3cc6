"""Who came back: retention by cohort and period."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from analysis.facts.activity_facts import CohortCell, cohort_cells
from analysis.facts.population import Facts
from analysis.results.intervals import wilson

FLAVOURS = ("on_or_after", "on")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cohort in one period; absent, not zero, while the period is not over for the whole cohort (R5)."""

    flavour: str           # "on_or_after" (came back to stay) or "on" (habit)
    cohort: date | None    # first day of the cohort's period; None for the pooled average (R6)
    period: int            # 0 is the cohort's own period
    n_users: int           # users of the cohort (pooled: of the cohorts whose period is over)
    n_retained: int
    rate: float            # n_retained / n_users
    rate_lower: float      # Wilson
    rate_upper: float


def retention(facts: Facts) -> list[Cell]:
    """Cells of both flavours for each cohort and for all pooled; only cells whose period is over (R5).

    Sorted by flavour, pooled first, then by cohort and period.
    """
    if facts.campaign.retention is None:
        return []
    counted = cohort_cells(facts, facts.campaign.retention)
    cells = []
    for flavour in FLAVOURS:
        cells += [_cell(flavour, None, *row) for row in pooled(counted, f"n_{flavour}") if row[1]]
        cells += [_cell(flavour, c.cohort, c.cell, c.n_users, getattr(c, f"n_{flavour}"))
                  for c in counted if c.is_complete and c.n_users]
    return cells


def pooled(cells: Sequence[CohortCell], flavour: str) -> Iterator[tuple[int, int, int]]:
    """(period, users of the cohorts whose period is over, how many of them came back), by period (rule R6)."""
    for period in sorted({cell.cell for cell in cells}):
        over = [cell for cell in cells if cell.cell == period and cell.is_complete]
        yield period, sum(cell.n_users for cell in over), sum(getattr(cell, flavour) for cell in over)


def _cell(flavour: str, cohort: date | None, period: int, n_users: int, n_retained: int) -> Cell:
    lower, upper = wilson(n_retained, n_users)
    rate = n_retained / n_users if n_users else math.nan
    return Cell(flavour, cohort, period, n_users, n_retained, rate, lower, upper)
