"""How many users each arm or group has."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.facts.population import Facts


@dataclass(frozen=True, slots=True)
class Group:
    """One arm of a randomised campaign, or one group of users."""

    name: str              # arm or group; "" for everybody
    n_users: int
    share: float           # of the users who count
    planned_share: float   # of an arm, as the params say; nan for groups that nobody drew


def groups(facts: Facts) -> list[Group]:
    """Every arm or group that has users, control first and then by name."""
    total = sum(facts.groups.values())
    planned = facts.campaign.arms.shares if facts.campaign.arms else {}
    return [Group(name, n, n / total, planned.get(name, math.nan)) for name, n in facts.groups.items()]
