"""Log-rank test of two curves from counts at risk and lost, in strata."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from analysis.stats.tails import z_upper


class AtRisk(NamedTuple):
    """Two arms at one time in one stratum."""

    n_treatment: int     # at risk
    lost_treatment: int  # of them, lost at that time
    n_control: int
    lost_control: int


def logrank(times: Iterable[AtRisk]) -> tuple[float, float]:
    """(z, two-sided p) of H0: at every time both arms lose the same share; z > 0 where the treatment loses more.

    Mantel (1966), Cancer Chemotherapy Reports 50:163: the losses of the treatment against what they would be if chance
    alone had spread them (hypergeometric, so that ties are exact), added up over times and strata. nan where no table
    can speak against equality.
    """
    excess = var = 0.0
    for n_t, lost_t, n_c, lost_c in times:
        n, lost = n_t + n_c, lost_t + lost_c
        if n > 1:
            excess += lost_t - lost * n_t / n
            var += lost * (n_t / n) * (n_c / n) * (n - lost) / (n - 1)
    if not var > 0:
        return math.nan, math.nan
    z = excess / math.sqrt(var)
    return z, 2 * z_upper(abs(z))
