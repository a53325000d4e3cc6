"""Looking at any time: what a fixed-horizon p says when the data may be looked at whenever one likes.

Every method for looking early is the same map here. A look calls for a larger critical value than the fixed-horizon
test's, and a larger critical value is the fixed-horizon method at a smaller level. So a look gives the p that counts
at that look and the nominal level at which the usual intervals are to be drawn, of whatever metric: then p < alpha
exactly when each of them leaves out the null.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from analysis.stats.comparison import ALPHA
from analysis.stats.tails import z_critical, z_upper

EARLIEST = 1e-100  # nominal level below which no interval is drawn: t quantiles for few users are wrong further out
LEAST = 1e-300     # a smaller p counts as this one, which can only make it less significant


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the data allows to be said. `pvalue < alpha` exactly when the fixed p < `alpha_nominal`."""

    pvalue: float          # two-sided, holds however often the data are looked at in the way agreed on
    alpha_nominal: float   # level at which the intervals of this look are drawn
    reason: str = ""       # "no_pvalue": the test gave none, the intervals stand; "too_early": neither can be given


def always_valid(pvalue: float, clock: float, tightest_at: float, alpha: float = ALPHA) -> Look:
    """A look at a time nobody had to fix: at most a share alpha of runs without effect is ever significant.

    pvalue        of the fixed-horizon test on all data so far: two-sided, of a statistic that is close to normal
    clock         units of observation so far, both arms together: users, where each counts once over a window of
                  their own and users enter over time; user-days, where the same users are followed
    tightest_at   clock at which the intervals are to be tightest, say that of the planned end; to be fixed before
                  the data are seen. The error rate does not hang on it

    Normal-mixture confidence sequence: c^2 = (v + 1) / v * (ln(v + 1) - 2 ln alpha), v = clock * rho^2, with rho^2 set
    at ALPHA whatever the alpha asked for, so that a look has one p. The p is of this look; the smallest of all looks
    so far holds as well.

    Asymptotic. By simulation it holds with arms of equal size from 5 users each at the first look, also for mostly-zero
    revenue, and with arms of 9 to 1 once the smaller one has 10 users whose value is not 0 (100 where revenue is as
    skewed as a lognormal of sigma 1.5); earlier, up to a quarter of such runs are significant. It holds as well where
    the same users' days hang together, or where each user converts once.

    ValueError for a p outside [0, 1], a negative clock, a tightest_at that is not above 0.
    Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Annals of Statistics 52:2613.
    """
    _check(clock, tightest_at, alpha)
    v = clock * spread_of_effects(tightest_at)
    spent = math.log1p(v) - 2 * math.log(alpha)
    nominal = 2 * z_upper(math.sqrt((1 + 1 / v) * spent)) if v else 0.0

    def sequential(p: float) -> float:
        return math.exp(min((math.log1p(v) - z_critical(p) ** 2 * v / (v + 1)) / 2, 0.0)) if p < 1 else 1.0

    return look(pvalue, nominal, alpha, sequential)


def spread_of_effects(tightest_at: float) -> float:
    """rho^2: the variance of the mixture, in squared standard errors of one unit of observation."""
    odds = -2 * math.log(ALPHA)
    return (odds + math.log1p(odds)) / tightest_at


def look(pvalue: float, nominal: float, alpha: float, sequential: Callable[[float], float]) -> Look:
    """From the fixed p and the level of this look to what may be said; `sequential` turns one into the other.

    Where the two are so close that rounding would decide, the verdict is that of the nominal level, which the
    intervals follow. ValueError for a p outside [0, 1].
    """
    if not (0 <= pvalue <= 1 or math.isnan(pvalue)):
        raise ValueError(f"p-value {pvalue} is outside [0, 1]")
    if not nominal >= EARLIEST:
        return Look(math.nan, math.nan, "too_early")
    if math.isnan(pvalue):
        return Look(math.nan, nominal, "no_pvalue")
    found = sequential(max(pvalue, LEAST))
    return Look(min(found, math.nextafter(alpha, 0)) if pvalue < nominal else max(found, alpha), nominal)


def _check(clock: float, tightest_at: float, alpha: float) -> None:
    z_critical(alpha)  # refuses an alpha that cannot be
    if not 0 <= clock < math.inf:
        raise ValueError(f"clock is {clock}; it must be the units of observation so far, 0 or more")
    if not 0 < tightest_at < math.inf:
        raise ValueError(f"tightest_at is {tightest_at}; it must be above 0, for example the clock at the planned end")
