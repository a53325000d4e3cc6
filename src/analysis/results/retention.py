"""Who came back: retention by cohort and period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ibis.expr.types import Table

from analysis.facts.activity_facts import cohort_facts, is_over, return_facts
from analysis.facts.population import Facts
from analysis.results.intervals import wilson


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
    asked = facts.campaign.retention
    if asked is None or facts.tables.data_until is None:
        return []
    sizes = _rows(cohort_facts(facts, asked).group_by("cohort").aggregate(n=lambda t: t.count()))
    returns = return_facts(facts, asked).cache()
    on = _rows(returns.group_by("cohort", "period").aggregate(n=returns.user_id.nunique()))
    last = returns.group_by("cohort", "user_id").aggregate(last=returns.period.max())
    lasts = _rows(last.group_by("cohort", "last").aggregate(n=last.count()))
    until = facts.campaign.local(facts.tables.data_until).date()
    size = {row["cohort"]: row["n"] for row in sizes}
    seen = {(c, p) for c in size for p in range(asked.n_periods + 1) if is_over(c, p, asked.every, until)}
    counts = {
        "on_or_after": lambda c, p: sum(r["n"] for r in lasts if r["cohort"] == c and r["last"] >= p),
        "on": lambda c, p: sum(r["n"] for r in on if r["cohort"] == c and r["period"] == p),
    }
    cells = []
    for flavour, count in counts.items():
        retained = {(c, p): count(c, p) if p else size[c] for c, p in sorted(seen)}
        cells += [_cell(flavour, None, p, [c for c, q in retained if q == p], size, retained)
                  for p in sorted({p for _, p in retained})]
        cells += [_cell(flavour, c, p, [c], size, retained) for c, p in retained]
    return cells


def _cell(flavour: str, cohort: date | None, period: int, pooled: list[date], size: dict, retained: dict) -> Cell:
    n_users, n_retained = sum(size[c] for c in pooled), sum(retained[c, period] for c in pooled)
    lower, upper = wilson(n_retained, n_users)
    return Cell(flavour, cohort, period, n_users, n_retained, n_retained / n_users, lower, upper)


def _rows(table: Table) -> list[dict]:
    return table.to_pyarrow().to_pylist()
