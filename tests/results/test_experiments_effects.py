"""What each treatment did, adjusted over all of them; and counts of claims, by hand and by another route."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis.data import summaries
from analysis.params import load
from analysis.results.experiments.effects import Effect, effects
from analysis.results.experiments.looks import looks
from analysis.results.experiments.splits import splits
from analysis.results.experiments.tallies import STEPS, Tally, courses, tallies
from tests.experiments import BEFORE, PARAMS, given
from tests.experiments import looks as rows_of

ROOT = Path(__file__).parents[2]


def found(folder, rows, params=PARAMS, **more) -> list[Effect]:
    read = given(folder, rows, params, **more)
    return effects(read, looks(read), splits(read))


def one(experiment, mean, n=100, var=4.0, at=1):
    """An experiment whose control has 100 users, mean 2 and variance 4."""
    return rows_of(experiment, ("control", at, 100, 2.0, 4.0), ("new", at, n, mean, var))


def test_one_effect_by_hand(tmp_path):
    (effect,) = found(tmp_path, one("a", 3.0, var=5.0))
    t, df = 1 / math.sqrt(0.04 + 0.05), 0.09**2 / (0.04**2 / 99 + 0.05**2 / 99)
    assert (effect.diff, effect.rel_diff) == (1.0, 0.5)
    assert effect.pvalue == effect.pvalue_adjusted == pytest.approx(2 * stats.t.sf(t, df), rel=1e-9)
    half = stats.t.ppf(0.975, df) * 0.3
    assert (effect.diff_lower, effect.diff_upper) == pytest.approx((1 - half, 1 + half))
    assert effect.rel_detectable == pytest.approx((half + stats.t.ppf(0.8, df) * 0.3) / 2)
    assert (effect.verdict, effect.unit, effect.role, effect.n_looks, effect.at) == ("better", "money", "primary", 1, 1)
    assert (effect.pvalue_plain, effect.diff_plain) == (effect.pvalue, 1.0) and math.isnan(effect.reduction)


def test_which_way_is_better_is_what_the_params_say(tmp_path):
    lower = PARAMS.replace("unit: money", "unit: money, better: lower")
    rows = [*one("a", 3.0), *one("b", 1.0), *one("c", 2.1)]
    assert [e.verdict for e in found(tmp_path, rows)] == ["better", "worse", "cannot_tell"]
    assert [e.verdict for e in found(tmp_path, rows, lower)] == ["worse", "better", "cannot_tell"]


def test_all_treatments_of_a_metric_are_one_family(tmp_path):
    means = {"a": 3.0, "b": 2.7, "c": 2.6, "d": 2.0}
    rows = [row for name, mean in means.items() for row in one(name, mean)]
    p = [stats.ttest_ind_from_stats(mean, 2, 100, 2, 2, 100, equal_var=False).pvalue for mean in means.values()]
    by_holm = found(tmp_path, rows)
    assert [e.pvalue for e in by_holm] == pytest.approx(p)
    assert [e.pvalue_adjusted for e in by_holm] == pytest.approx([4 * p[0], 3 * p[1], 2 * p[2], 1.0])
    assert [e.verdict for e in by_holm] == ["better", "better", "cannot_tell", "cannot_tell"]
    by_bh = found(tmp_path, rows, PARAMS + "correction: bh\n")
    assert [e.pvalue_adjusted for e in by_bh] == pytest.approx(stats.false_discovery_control(p))


def test_a_barred_experiment_counts_in_the_family_and_is_never_claimed(tmp_path):
    rows = [*one("a", 3.0), *one("b", 3.0, n=300)]
    first, second = found(tmp_path, rows)
    assert first.pvalue_adjusted == pytest.approx(2 * first.pvalue) and first.verdict == "better"
    assert second.pvalue < 0.001 and math.isnan(second.pvalue_adjusted)
    assert (second.verdict, second.is_trusted, first.is_trusted) == ("not_trusted", False, True)


def test_without_a_variance_the_mean_stands_and_nothing_is_told(tmp_path):
    (effect,) = found(tmp_path, rows_of("a", ("control", 1, 10, 2.0, ""), ("new", 1, 10, 3.0, 1)))
    assert (effect.diff, effect.reason, effect.verdict) == (1.0, "no_variance", "cannot_tell")
    assert math.isnan(effect.pvalue) and math.isnan(effect.diff_lower)


def test_the_last_look_decides_and_the_first_small_p_is_remembered(tmp_path):
    rows = [row for at, mean in ((1, 2.2), (2, 3.5), (3, 2.3)) for row in one("a", mean, at=at)]
    (effect,) = found(tmp_path, rows)
    assert (effect.at, effect.n_looks, effect.first_below_at, effect.first_any_time_at) == (3, 3, 2, 2)
    assert effect.diff == pytest.approx(0.3) and effect.verdict == "cannot_tell"


def test_metrics_come_with_the_primary_first_each_a_family_of_its_own(tmp_path):
    params = PARAMS.replace("  amount", "  aside: {kind: share}\n  amount")
    rows = [*one("a", 3.0), *rows_of("a", ("control", 1, 100, 0.2, 0.16), ("new", 1, 100, 0.5, 0.25), metric="aside")]
    both = found(tmp_path, rows, params)
    assert [(e.metric, e.unit, e.role) for e in both] == [
        ("amount", "money", "primary"), ("aside", "share", "secondary")]
    assert all(e.pvalue == e.pvalue_adjusted for e in both)
    assert both[1].pvalue == pytest.approx(
        stats.ttest_ind_from_stats(0.5, 0.5, 100, 0.2, 0.4, 100, equal_var=False).pvalue)


def test_the_time_before_is_told_beside_what_would_be_without_it(tmp_path):
    rows = rows_of("a", ("control", 1, 100, 2.0, 4.0, 1.0, 4.0, 3.2), ("new", 1, 100, 2.5, 4.0, 1.2, 4.0, 3.2))
    (effect,) = found(tmp_path, rows, head=BEFORE)
    assert effect.diff == pytest.approx(0.5 - 0.8 * 0.2) and effect.diff_plain == 0.5
    assert effect.reduction == pytest.approx(0.64, abs=0.01)
    assert effect.pvalue_plain == pytest.approx(
        stats.ttest_ind_from_stats(2.5, 2, 100, 2, 2, 100, equal_var=False).pvalue)


def drawn(seed, n_experiments, unit=1.0):
    """Experiments whose p lie around the border of the correction."""
    draw = np.random.default_rng(seed)
    rows = []
    for i in range(n_experiments):
        n, var = draw.integers(50, 500), draw.uniform(0.5, 9, 2)
        mean = 2 + draw.normal(0, 3) * math.sqrt(var.sum() / n)
        rows += rows_of(f"e{i:03}", ("control", 1, n, 2.0 * unit, var[0] * unit**2),
                        ("new", 1, n + draw.integers(-5, 5), mean * unit, var[1] * unit**2))
    return rows


@pytest.mark.parametrize("correction", ["holm", "bh"])
def test_an_interval_leaves_out_zero_exactly_when_the_adjusted_p_is_below_the_level(tmp_path, correction):
    seen = set()
    for seed in range(6):
        for e in found(tmp_path, drawn(seed, 150), PARAMS + f"correction: {correction}\n"):
            is_out = e.diff_lower > 0 or e.diff_upper < 0
            is_rel_out = e.rel_diff_lower > 0 or e.rel_diff_upper < 0
            assert (e.pvalue_adjusted < 0.05) == is_out
            assert e.rel_reason or is_rel_out == is_out
            assert (e.pvalue < e.alpha) == is_out
            seen.add((is_out, e.verdict))
    assert seen == {(True, "better"), (True, "worse"), (False, "cannot_tell")}


def test_order_of_rows_and_the_unit_change_nothing(tmp_path):
    rows = drawn(7, 40)
    plain, turned, scaled = (found(tmp_path, r) for r in (rows, rows[::-1], drawn(7, 40, unit=1000.0)))
    assert plain == turned
    for one_, other in zip(plain, scaled, strict=True):
        assert (other.verdict, other.pvalue_adjusted) == (one_.verdict, pytest.approx(one_.pvalue_adjusted))
        assert other.diff == pytest.approx(1000 * one_.diff) and other.rel_diff == pytest.approx(one_.rel_diff)


# --- counts ---

def test_counts_by_hand(tmp_path):
    rows = [*one("a", 3.0), *one("b", 1.0), *one("c", 2.6), *one("d", 2.0, at=1), *one("d", 3.5, at=0.5),
            *one("e", 3.0, n=300)]
    mine = found(tmp_path, rows)
    trusted, whole = tallies(mine, "holm")
    assert [math.isnan(e.first_any_time_at) for e in mine] == [False, False, True, False, False]
    assert trusted == Tally(
        "amount", "trusted", n_treatments=4, n_tested=4, n_by_chance=pytest.approx(0.2), n_below=3, n_below_ever=4,
        n_any_time=3, n_holm=2, n_bh=2, n_better=1, n_worse=1, n_cannot_tell=2, median_effect=pytest.approx(0.4),
        median_detectable=pytest.approx(np.median([e.rel_detectable for e in mine[:4]])))
    assert (whole.scope, whole.n_treatments, whole.n_below, whole.n_better, whole.n_worse) == ("all", 5, 4, 2, 1)


def test_no_relative_effect_has_a_reason(tmp_path):
    (trusted, _) = tallies(found(tmp_path, rows_of("a", ("control", 1, 9, 0, 1), ("new", 1, 9, 1, 1))), "holm")
    assert trusted.reason == "no_relative_effect" and math.isnan(trusted.median_effect)


def test_the_course_ends_where_the_counts_do(tmp_path):
    rows = [*one("a", 3.0, at=10), *one("a", 2.0, at=5), *one("b", 2.0, at=8), *one("b", 3.5, at=2)]
    read = given(tmp_path, rows)
    mine = effects(read, looks(read), splits(read))
    course = courses(looks(read), mine)
    assert len(course) == STEPS and [c.progress for c in course][-1] == 1.0
    at = {c.progress: (c.n_below, c.n_below_ever, c.n_any_time) for c in course}
    assert at[0.2] == (0, 0, 0) and at[0.25] == (1, 1, at[0.25][2]) and at[1.0] == (1, 2, at[1.0][2])
    (trusted, _) = tallies(mine, "holm")
    assert (trusted.n_below, trusted.n_below_ever, trusted.n_any_time) == at[1.0]


def test_a_single_look_has_no_course(tmp_path):
    read = given(tmp_path, one("a", 3.0))
    assert courses(looks(read), effects(read, looks(read), splits(read))) == []


# --- the sample ---

@pytest.fixture(scope="module")
def asos():
    read = summaries.read(load(ROOT / "params/asos.yml"))
    looked, split = looks(read), splits(read)
    return looked, split, effects(read, looked, split)


def test_the_sample_gives_its_known_figures(asos):
    looked, split, mine = asos
    assert (len(split), sum(s.pvalue < 0.01 for s in split), sum(s.state == "fail" for s in split)) == (99, 17, 12)
    whole = [row for row in tallies(mine, "holm") if row.scope == "all"]
    assert [row.n_below for row in whole] == [26, 27, 25, 27]
    assert [row.n_below_ever for row in whole] == [46, 64, 57, 58]
    assert [row.n_treatments - row.n_tested for row in whole] == [0, 5, 5, 5]
    assert len(looked) == 24_153 and looked["pvalue"].isna().sum() == 779 + 8


def test_corrections_over_the_sample_agree_with_statsmodels(asos):
    _, _, mine = asos
    for row in tallies(mine, "holm"):
        own = [e for e in mine if e.metric == row.metric]
        p = [1.0 if math.isnan(e.pvalue) or (row.scope == "trusted" and not e.is_trusted) else e.pvalue for e in own]
        assert row.n_holm == multipletests(p, 0.05, "holm")[0].sum()
        assert row.n_bh == multipletests(p, 0.05, "fdr_bh")[0].sum()


def test_looking_with_a_method_that_allows_it_claims_less_than_stopping_at_a_small_p(asos):
    for row in tallies(asos[2], "holm"):
        assert row.n_any_time < row.n_below_ever
    assert all(e.pvalue_any_time >= e.pvalue for e in asos[2] if not e.reason)
