"""Time to convert against another package and by hand, and against the funnel's own rates."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.results.funnel import funnel
from analysis.results.survival import kaplan_meier, time_to_convert
from analysis.stats.intervals import wilson
from tests.results.test_funnel import counts, random_log
from tests.tables import observed


def counted(times, has_converted):
    """Arrays of seconds, converted and left, as the engine counts them."""
    seconds = np.unique(times)
    return seconds, *(np.array([((times == t) & (has_converted == wanted)).sum() for t in seconds])
                      for wanted in (True, False))


def drawn(seed, n=300, rate=0.5):
    draw = np.random.default_rng(seed)
    return draw.integers(1, 60, n), draw.random(n) < rate


@pytest.mark.parametrize("seed", range(5))
def test_curve_and_greenwoods_error_are_those_of_another_package(seed):
    times, has_converted = drawn(seed)
    curve, other = kaplan_meier(*counted(times, has_converted)), SurvfuncRight(times, has_converted)
    at = np.searchsorted(curve.seconds, other.surv_times)
    assert 1 - curve.share[at] == pytest.approx(other.surv_prob)
    for i, survival, error in zip(at, other.surv_prob, other.surv_prob_se, strict=True):
        if 0 < survival < 1:
            n = survival * (1 - survival) / error**2
            assert (curve.lower[i], curve.upper[i]) == pytest.approx(wilson((1 - survival) * n, n))


@pytest.mark.parametrize("seed", range(5))
def test_the_median_is_that_of_another_package_and_its_bounds_are_near(seed):
    times, has_converted = drawn(seed, rate=0.8)
    median, lower, upper = kaplan_meier(*counted(times, has_converted)).quantile(0.5)
    other = SurvfuncRight(times, has_converted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)     # log of a share of 0 or 1, in that package
        bounds = other.quantile_ci(0.5, method="cloglog")
    assert median == other.quantile(0.5)
    assert abs(lower - bounds[0]) <= 2 and abs(upper - bounds[1]) <= 2


def test_without_anyone_leaving_early_the_interval_is_wilsons():
    times, has_converted = drawn(1)
    times = np.where(has_converted, times, 60)
    curve = kaplan_meier(*counted(times, has_converted))
    for t, share, lower, upper in zip(curve.seconds, curve.share, curve.lower, curve.upper, strict=True):
        x = int(((times <= t) & has_converted).sum())
        assert (share, lower, upper) == pytest.approx((x / 300, *wilson(x, 300)))


@pytest.mark.parametrize(("has_converted", "share"), [(False, 0.0), (True, 1.0)])
def test_nobody_and_everybody_have_an_interval_too(has_converted, share):
    curve = kaplan_meier(*counted(np.array([1, 2, 3, 4]), np.array([has_converted] * 4)))
    x = 4 if has_converted else 0
    assert curve.share[-1] == share
    n = 4 if has_converted else 1       # of those who left one by one, one was seen to the end
    assert (curve.lower[-1], curve.upper[-1]) == pytest.approx(wilson(min(x, n), n))


def test_a_median_that_the_data_do_not_reach_is_infinite():
    curve = kaplan_meier(*counted(np.array([1, 5, 5, 5]), np.array([True, False, False, False])))
    assert curve.quantile(0.5)[0] == math.inf and curve.quantile(0.2)[0] == 1


def path(log, said="{steps: [a, b], window: 3 days}", params=""):
    return observed(f"funnels: {{path: {said}}}\n{params}", events=log if isinstance(log, pd.DataFrame)
                    else "user|event|at\n" + log)


def test_an_open_entry_counts_for_as_long_as_it_was_seen():
    log = " u|a|03-04\n u|b|03-05\n v|a|03-05\n w|a|03-09\n x|a|03-09\n x|b|03-10"
    moments, time = time_to_convert(path(log, params="data_until: 2024-03-10"), "path")
    assert (time.n_entered, time.n_converted, time.n_open) == (4, 2, 1)
    # both convert after a day, when all four are at risk; w is seen for two days, v to the end of its window
    assert [(m.seconds, m.n_at_risk, m.n_converted, m.share) for m in moments] == [
        (86400.0, 4, 2, 0.5), (259200.0, 1, 2, 0.5)]


def test_those_who_can_no_longer_convert_make_the_share_of_the_others_larger():
    log = " u|a|03-04\n u|b|03-06\n v|a|03-05\n w|a|03-10\n x|a|03-10"
    moments, _ = time_to_convert(path(log, params="data_until: 2024-03-10"), "path")
    assert moments[-1].share == 0.5      # one of the two who were followed for two days, not one of four


def test_without_an_entry_there_is_no_curve():
    assert time_to_convert(path(" u|b|03-05\n u|a|03-20"), "path") == ([], None)


@pytest.mark.parametrize("said", [
    "{steps: [a, b, c], window: 2 days}", "{steps: [a, b], window: 36 hours, entry: first}",
    "{steps: [a, b, a], window: 3 days, order: unordered}", "{steps: [a, b, c], window: 2 days, optional: [2]}",
    "{steps: [a, b], window: 30 hours, count: entries}"])
def test_where_no_window_is_open_the_curve_ends_at_the_rate_of_the_funnel(said):
    facts = path(random_log(3), said)
    last = [step for step in funnel(facts, "path") if step.by == ""][-1]
    moments, time = time_to_convert(facts, "path")
    end = moments[-1]
    assert time.n_open == 0 and (time.n_entered, end.n_converted) == (last.n_mature, last.n_converted)
    assert (end.share, end.share_lower, end.share_upper) == pytest.approx((last.rate, last.rate_lower, last.rate_upper))
    assert counts(funnel(facts, "path"), "n_mature")[0] == (time.n_entered,)


@pytest.mark.parametrize("said", ["{steps: [a, b], window: none}", "{steps: [b, a], window: none, order: any}"])
def test_without_a_window_entries_are_followed_to_the_end_of_the_data(said):
    moments, time = time_to_convert(path(random_log(5), said), "path")
    assert math.isinf(time.window_seconds) and time.n_open == 0
    assert moments[-1].seconds == max(moment.seconds for moment in moments)
    shares = [moment.share for moment in moments]
    assert shares == sorted(shares) and moments[-1].n_converted == time.n_converted
