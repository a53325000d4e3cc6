"""The chance that a campaign is better: by the normal formulas and by draws, and a reason where there is none."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.results.belief import beliefs
from analysis.results.contrast import contrast
from tests.people import METRICS, assert_reasoned
from tests.shops import PHASES, shop
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
SHARE = METRICS.replace(", role: primary", "").replace("{any: orders}", "{any: orders, role: primary}")


def believed(prior, metrics=METRICS, params=ARMS, tables=None, **how):
    tables = tables or shop(**{"seed": 3, "n": 400, **how})
    facts = observed(f"{metrics}{params}effects: {{prior: {prior}}}\n{PHASES}", **tables)
    return facts, beliefs(facts)


def without_orders(arm, **how):
    tables = shop(**{"seed": 3, "n": 400, **how})
    own = tables["orders"]["user_id"].map(tables["assignments"].set_index("user_id")["variant"]) == arm
    during = tables["orders"]["ordered_at"].between("2024-03-04", "2024-03-10 23:59")
    tables["orders"] = tables["orders"][~(own & during)]
    return tables


@pytest.mark.parametrize("scale", ["relative", "absolute"])
def test_prior_and_effect_are_weighed_by_their_precision(scale):
    sd = {"relative": "20%", "absolute": "5"}[scale]
    facts, (row,) = believed(f"{{mean: 2%, sd: {sd}, scale: {scale}}}")
    own = contrast(facts, "money").compare("go", "stay")
    effect, lower, upper = ((own.rel_diff, own.rel_diff_lower, own.rel_diff_upper) if scale == "relative" else
                            (own.diff, own.diff_lower, own.diff_upper))
    error = (effect - lower if effect > 0 else upper - effect) / stats.norm.isf(0.025)
    weights = np.array([1 / float(row.prior_sd) ** 2, 1 / error**2])
    mean, spread = weights @ [0.02, effect] / weights.sum(), weights.sum() ** -0.5
    assert (row.kind, row.scale, row.prior_sd) == ("normal", scale, 0.2 if scale == "relative" else 5.0)
    assert (row.mean, row.lower) == pytest.approx((mean, mean - stats.norm.isf(0.025) * spread))
    assert row.chance_better == pytest.approx(stats.norm.sf(-mean / spread))
    draws = np.random.default_rng(1).normal(mean, spread, 400_000)
    assert row.expected_loss == pytest.approx(np.maximum(-draws, 0).mean(), rel=0.05, abs=1e-4)
    assert row.expected_loss_control == pytest.approx(np.maximum(draws, 0).mean(), rel=0.02)


def test_a_wide_prior_leaves_the_interval_and_a_narrow_one_the_prior():
    facts, (wide,) = believed("{sd: 1000000%}")
    own = contrast(facts, "money").compare("go", "stay")
    assert (wide.lower > 0 or wide.upper < 0) == (own.pvalue < 0.05)
    assert wide.mean == pytest.approx(own.rel_diff, rel=1e-6)
    _, (narrow,) = believed("{mean: 3%, sd: 0.001%}")
    assert narrow.mean == pytest.approx(0.03, rel=1e-3)


def test_lower_may_be_better():
    _, (higher,) = believed("{sd: 10%}")
    _, (lower,) = believed("{sd: 10%}", METRICS.replace("role: primary", "role: primary, better: lower"))
    assert higher.chance_better + lower.chance_better == pytest.approx(1.0)
    assert higher.expected_loss == pytest.approx(lower.expected_loss_control, rel=1e-9)


def test_a_share_has_the_exact_posterior_beside_it():
    facts, (normal, exact) = believed("{sd: 5%, scale: absolute}", SHARE)
    (x_t, n_t), (x_c, n_c) = (contrast(facts, "buyers").counts[arm] for arm in ("go", "stay"))
    draw = np.random.default_rng(2)
    t, c = (draw.beta(x + 0.5, n - x + 0.5, 400_000) for x, n in ((x_t, n_t), (x_c, n_c)))
    assert (normal.kind, exact.kind) == ("normal", "beta")
    assert exact.chance_better == pytest.approx((t > c).mean(), abs=0.004)
    assert (exact.lower, exact.upper) == pytest.approx(tuple(np.quantile(t - c, [0.025, 0.975])), abs=0.002)
    assert (exact.metric, exact.unit, exact.arm) == ("buyers", "share", "go")


def test_a_control_of_nobody_has_no_relative_effect_but_a_bounded_one():
    _, (normal, exact) = believed("{sd: 5%}", SHARE, tables=without_orders("stay"))
    assert normal.reason == "zero_control" and math.isnan(normal.chance_better)
    assert exact.reason == "zero_control" and exact.chance_better > 0.999 and math.isinf(exact.mean)
    _, (absolute, _) = believed("{sd: 5%, scale: absolute}", SHARE, tables=without_orders("stay"))
    assert absolute.reason == "" and absolute.chance_better > 0.99
    for row in (normal, exact, absolute):
        assert_reasoned(row)


def test_a_control_that_cannot_be_told_from_nothing_is_not_divided_by():
    _, (row,) = believed("{sd: 5%}", tables=without_orders("stay"))
    assert row.reason in ("unbounded", "negative_control", "zero_control") and math.isnan(row.mean)
    assert_reasoned(row)


@pytest.mark.parametrize(("assigned", "reason"), [("a|go\n b|stay", "too_few_users"), ("a|go\n a|stay", "empty_arm")])
def test_without_an_effect_there_is_no_posterior_and_why(assigned, reason):
    facts = observed(METRICS + ARMS + "effects: {prior: {sd: 5%}}\n", orders="user|at|amount\n a|03-05|3\n z|03-06|1",
                     assignments="user|variant\n" + assigned)
    (row,) = beliefs(facts)
    assert row.reason == reason and math.isnan(row.mean)
    assert_reasoned(row)


def test_what_stopping_at_95_percent_does_is_printed_beside_it():
    _, (row,) = believed("{sd: 10%}")
    assert (row.looks, row.stop_any_time) == (21, pytest.approx(0.429, abs=0.001))


def test_without_a_prior_or_arms_there_is_none():
    assert beliefs(observed(METRICS + ARMS + PHASES, **shop(seed=1, n=40))) == []
    assert beliefs(observed(METRICS + "no_control_group: none\n", orders="user|at|amount\n a|03-05|3")) == []


def test_every_arm_has_its_own():
    three = "arms: {control: stay, shares: {stay: 40%, go: 30%, run: 30%}}\n"
    _, found = believed("{sd: 10%}", params=three, arms=("stay", "go", "run"))
    assert [row.arm for row in found] == ["go", "run"] and {row.control for row in found} == {"stay"}
