"""What a user is worth over the first days, by cohort and in all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from analysis.facts.activity_facts import DAYS
from analysis.facts.population import Facts, rows_of
from analysis.facts.value_facts import CohortValue, Worth, cohort_values, starts_of
from analysis.results.small_groups import shown


@dataclass(frozen=True, slots=True)
class Value:
    """What the users of a cohort paid in all within so many days of their start."""

    cohort: date | None    # first day of its period; None for all cohorts whose days are over
    n_days: int            # times 24 hours from each user's own start
    n_users: int
    value: float           # per user, those who paid nothing included; nan while the days are not over
    reason: str = ""       # "not_over"


def values(facts: Facts) -> list[Value]:
    """Amount of orders by cohort of the retention table and time since the start; all together first.

    [] without orders, and where users are in several cohorts. Cohorts of few users are in the whole only.
    """
    campaign, asked = facts.campaign, facts.campaign.retention
    if asked is None or facts.tables.orders is None or asked.who == "recurring":
        return []
    orders, length = rows_of(facts, "orders"), DAYS[asked.every]
    opens, closes = (asked.cohorts or campaign.period).interval(campaign.time_zone)
    found = cohort_values(
        starts_of(rows_of(facts, "events"), asked.start, asked.who),
        orders.select("user_id", "at", value=orders.amount),
        Worth([length * (n + 1) for n in range(asked.n_periods + 1)], opens, closes, facts.tables.data_until,
              campaign.time_zone, asked.every, asked.week_start))
    found = [row for row in found if row.observed_days >= row.n_days - length]    # the last stretch may have begun
    together = [[row for row in found if row.n_days == n] for n in sorted({row.n_days for row in found})]
    lengths = sorted({row.n_days for row in found})
    mature = {(row.cohort, row.n_days): row.n_users for row in found if row.is_mature}
    told = shown(facts, "value", {row.cohort: [row.n_users, *(mature.get((row.cohort, n), 0) for n in lengths)]
                                  for row in found})
    return [*(Value(None, rows[0].n_days, sum(r.n_users for r in rows if r.is_mature), overall(rows))
              for rows in together if any(row.is_mature for row in rows)),
            *(Value(row.cohort, row.n_days, row.n_users, per_user(row) if row.is_mature else math.nan,
                    "" if row.is_mature else "not_over") for row in found if row.cohort in told)]


def per_user(cohort: CohortValue, of_payers: bool = False) -> float:
    """Value per user of a cohort, those without any value included (unless only payers are asked for); so far, where
    it is not mature."""
    n_users = cohort.n_payers if of_payers else cohort.n_users
    return cohort.value / n_users if n_users else math.nan


def overall(cohorts: Sequence[CohortValue], of_payers: bool = False) -> float:
    """Value per user of the mature cohorts together: a young cohort's missing days are not a low value."""
    mature = [cohort for cohort in cohorts if cohort.is_mature]
    n_users = sum(cohort.n_payers if of_payers else cohort.n_users for cohort in mature)
    return sum(cohort.value for cohort in mature) / n_users if n_users else math.nan
