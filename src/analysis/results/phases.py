"""Before, during, after: the level of a metric per user in each phase, by group. A description, never an effect."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """Mean of one metric per user of one group in one phase, scaled to the length of the campaign."""

    metric: str
    unit: str
    group: str             # variant or group; "" for everybody
    phase: str             # "before", "during", "after"
    n_users: int
    mean: float            # per user and campaign length (ratio metrics: the ratio)
    mean_lower: float
    mean_upper: float
    days: float            # length of the phase that the data cover
    days_planned: float
    is_cut: bool           # the data begin after the phase does, or end before it does
    reason: str = ""       # why the mean is nan: "phase_not_covered"


@dataclass(frozen=True, slots=True)
class Daily:
    """Total of one metric on one local day, by group."""

    metric: str
    group: str
    day: object            # datetime.date
    phase: str             # "before", "during", "after", "outside"
    n_users: int           # users of the group
    value: float           # per user of the group and day
