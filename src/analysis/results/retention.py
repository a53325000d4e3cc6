"""Who came back: retention by cohort and period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
