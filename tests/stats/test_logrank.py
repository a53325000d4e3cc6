"""The log-rank test against two other routes, and its error rate."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.duration.survfunc import survdiff

from analysis.stats.logrank import AtRisk, logrank


def lifetimes(draw, n, rate=0.3, most=9):
    """Period of the last return of each user, censored at `most`."""
    last = np.minimum(draw.geometric(rate, n) - 1, most)
    return last, last < most


def tables(treatment, control, most=9):
    """Counts at risk and lost, by period."""
    for period in range(most):
        (at_t, lost_t), (at_c, lost_c) = ((int((last >= period).sum()), int(((last == period) & is_lost).sum()))
                                          for last, is_lost in (treatment, control))
        yield AtRisk(at_t, lost_t, at_c, lost_c)


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_scipys_on_users(seed):
    draw = np.random.default_rng(seed)
    treatment, control = lifetimes(draw, 80), lifetimes(draw, 60, 0.4)
    z, pvalue = logrank(tables(treatment, control))
    whole = [stats.CensoredData.right_censored(last, ~is_lost) for last, is_lost in (treatment, control)]
    other = stats.logrank(*whole)
    assert (abs(z), pvalue) == pytest.approx((abs(other.statistic), other.pvalue))


def test_equal_to_statsmodels_in_strata():
    draw = np.random.default_rng(5)
    groups = [(lifetimes(draw, 50), lifetimes(draw, 70)), (lifetimes(draw, 30, 0.5), lifetimes(draw, 20, 0.3))]
    z, pvalue = logrank(table for pair in groups for table in tables(*pair))
    rows = [(last, is_lost, arm, stratum) for stratum, pair in enumerate(groups)
            for arm, (lasts, losts) in enumerate(pair) for last, is_lost in zip(lasts, losts, strict=True)]
    chisq, other = survdiff(*(np.array(column) for column in list(zip(*rows, strict=True))[:3]),
                            strata=np.array([row[3] for row in rows]))
    assert (z**2, pvalue) == pytest.approx((chisq, other))


def test_the_sign_tells_who_loses_more():
    assert logrank([AtRisk(100, 60, 100, 40)])[0] > 0 > logrank([AtRisk(100, 40, 100, 60)])[0]


@pytest.mark.parametrize("times", [[], [AtRisk(0, 0, 5, 1)], [AtRisk(5, 0, 5, 0)], [AtRisk(1, 1, 0, 0)]])
def test_nothing_to_test_is_said(times):
    assert all(math.isnan(value) for value in logrank(times))


@pytest.mark.calibration
def test_alike_arms_are_told_apart_as_often_as_promised():
    """4,000 rounds: two standard errors of 5 % are 0.7 points."""
    draw = np.random.default_rng(11)
    found = [logrank(tables(lifetimes(draw, 150), lifetimes(draw, 90)))[1] < 0.05 for _ in range(4000)]
    assert abs(np.mean(found) - 0.05) < 0.007
