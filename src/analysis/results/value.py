"""What a user is worth over the first days, by cohort and in all."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.facts.value_facts import CohortValue


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
