"""Rows per user in Python: for methods that shuffle, rank or resample users, and for those only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.facts.compared import compared, covariates
from analysis.facts.population import Facts


@dataclass(frozen=True, slots=True, eq=False)
class UserRows:
    """One place per user, in the order of their ids: the same data give the same rows."""

    variant: np.ndarray              # (users,) text
    stratum: np.ndarray              # (users,) number of the stratum, 0 where arms have none
    columns: dict[str, np.ndarray]   # metric or covariate -> (users,)

    @property
    def sizes(self) -> dict[str, int]:
        """Arm -> users."""
        arms, n = np.unique(self.variant, return_counts=True)
        return dict(zip(arms.tolist(), n.tolist(), strict=True))

    def of(self, arm: str, name: str) -> np.ndarray:
        """Values of one arm's users."""
        return self.columns[name][self.variant == arm]

    def strata(self) -> list[UserRows]:
        """The users of each stratum."""
        return [UserRows(self.variant[own], self.stratum[own], {name: x[own] for name, x in self.columns.items()})
                for own in (self.stratum == i for i in np.unique(self.stratum))]


def user_rows(facts: Facts, parts: Sequence[str]) -> UserRows:
    """Every compared user's metrics `parts` (of one time) and covariates.

    Rows reach Python here: 8 bytes per user and column.
    """
    strata = facts.campaign.arms.strata
    names = [*parts, *covariates(facts, parts)]
    table = compared(facts, parts).order_by("user_id").select("variant", *strata, *names).to_pyarrow()
    groups = [np.asarray(table[column].to_pylist(), dtype=object) for column in strata]
    stratum = np.zeros(table.num_rows, dtype=int)
    for group in groups:
        place = np.unique(group.astype(str), return_inverse=True)[1]
        stratum = np.unique(stratum * (place.max(initial=0) + 1) + place, return_inverse=True)[1]
    variant = np.asarray(table["variant"].to_pylist(), dtype=str)
    return UserRows(variant, stratum, {name: table[name].to_numpy().astype(float) for name in names})
