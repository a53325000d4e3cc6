"""The same effects by other methods: each against scipy on the rows, and none that contradicts itself."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.results import relabelled as shuffling
from analysis.results.contrast import contrast
from analysis.results.relabelled import relabelled
from analysis.results.uplift import uplifts
from analysis.results.views import views
from tests.people import METRICS, assert_lawful, assert_reasoned, people
from tests.shops import PHASES, shop
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
FEW = "effects: {relabel: 60}\n"
SHARE = METRICS.replace(", role: primary", "").replace("{any: orders}", "{any: orders, role: primary}")
RATIO = METRICS.replace(", role: primary", "").replace("[money, orders]}", "[money, orders], role: primary}")


def looked_at(params=METRICS + ARMS + FEW, tables=None, users=None, **how):
    tables = tables or shop(**{"seed": 2, "n": 300, **how})
    facts = observed(params + PHASES, **({} if users is None else {"users": users}), **tables)
    return facts, {(row.metric, row.method): row for row in views(facts)}, people(tables)


def arms_of(own, name):
    return (own.loc[own["variant"] == arm, name].to_numpy() for arm in ("go", "stay"))


def test_of_adjusted_metrics_the_plain_comparison_and_of_the_primary_all_that_needs_rows():
    _, found, _ = looked_at()
    assert [*found] == [("money", "unadjusted"), ("money", "permutation"), ("money", "bootstrap"),
                        ("money", "winsorised"), ("money", "ranks"), ("orders", "unadjusted"), ("basket", "unadjusted")]
    _, found, _ = looked_at(RATIO + ARMS + FEW)
    assert [method for name, method in found if name == "basket"] == ["unadjusted", "permutation", "bootstrap"]
    _, found, _ = looked_at(SHARE + ARMS + FEW)
    assert not [method for name, method in found if name == "buyers"]


def test_unadjusted_is_welch():
    _, found, own = looked_at()
    for name in ("money", "orders"):
        theirs = stats.ttest_ind(*arms_of(own, name), equal_var=False)
        assert found[name, "unadjusted"].pvalue == pytest.approx(theirs.pvalue)
        assert (found[name, "unadjusted"].diff_lower, found[name, "unadjusted"].diff_upper) == pytest.approx(
            tuple(theirs.confidence_interval()))


def test_winsorised_is_welch_on_values_pulled_in():
    _, found, own = looked_at()
    cap = np.quantile(own["money"], 0.99, method="inverted_cdf")
    own["capped"] = own["money"].clip(upper=cap)
    row = found["money", "winsorised"]
    assert (row.cap, row.n_capped) == (pytest.approx(cap), (own["money"] > cap + 1e-9).sum())
    assert row.pvalue == pytest.approx(stats.ttest_ind(*arms_of(own, "capped"), equal_var=False).pvalue)


def test_ranks_are_brunner_munzels():
    _, found, own = looked_at()
    go, stay = arms_of(own, "money")
    theirs, row = stats.brunnermunzel(stay, go), found["money", "ranks"]
    assert row.pvalue == pytest.approx(theirs.pvalue)
    above = (go[:, None] > stay).mean() + (go[:, None] == stay).mean() / 2
    assert row.superiority == pytest.approx(above)
    assert (row.pvalue < row.alpha) == (not row.superiority_lower <= 0.5 <= row.superiority_upper)


def test_permutation_counts_the_shuffles_that_are_as_far_out():
    facts, found, _ = looked_at()
    pair, seen = contrast(facts, "money").pairs["go"], relabelled(facts).statistics["money", "go"]
    row = found["money", "permutation"]
    assert row.pvalue == (1 + (np.abs(seen) >= abs(pair.diff / pair.error)).sum()) / 61
    assert row.diff == pytest.approx(uplifts(facts)[0].diff)


def test_bootstrap_is_about_as_wide_as_the_plain_interval():
    _, found, _ = looked_at(n=600)
    wide, plain = found["money", "bootstrap"], found["money", "unadjusted"]
    assert wide.diff == pytest.approx(plain.diff)
    assert wide.diff_upper - wide.diff_lower == pytest.approx(plain.diff_upper - plain.diff_lower, rel=0.1)


def test_a_share_of_few_has_fishers_p_beside_it():
    tables = shop(seed=2, n=300)
    during = tables["orders"]["ordered_at"].between("2024-03-04", "2024-03-10 23:59")
    tables["orders"] = tables["orders"][during].head(7)
    _, found, own = looked_at(SHARE + ARMS + FEW, tables)
    go, stay = arms_of(own, "buyers")
    table = [[int(arm.sum()), int(len(arm) - arm.sum())] for arm in (go, stay)]
    row = found["buyers", "fisher"]
    assert row.pvalue == pytest.approx(stats.fisher_exact(table).pvalue) and math.isnan(row.diff)
    assert_reasoned(row)


def test_strata_and_clusters_have_their_own():
    tables = shop(seed=2, n=300)
    arm = tables["assignments"]["variant"]
    users = tables["assignments"][["user_id"]].assign(
        tier=np.where(np.arange(300) % 3, "gold", "grey"), shop=arm + (np.arange(300) % 7).astype(str))
    _, found, _ = looked_at(SHARE + ARMS.replace("}}", "}, strata: [tier]}") + FEW, tables, users)
    assert {method for name, method in found if name == "buyers"} == {"unadjusted", "permutation"}
    _, found, _ = looked_at(METRICS + ARMS.replace("}}", "}, cluster: shop}") + FEW, tables, users)
    assert [*found] == [("money", "permutation")]


@pytest.mark.parametrize(("relabel", "methods"), [
    (0, {"unadjusted"}), (10, {"unadjusted", "bootstrap", "winsorised", "ranks"}),
    (20, {"unadjusted", "bootstrap", "winsorised", "ranks"}),
    (21, {"unadjusted", "permutation", "bootstrap", "winsorised", "ranks"})])
def test_too_few_shuffles_are_no_permutation_test(relabel, methods):
    """20 x 5 % is one shuffle: nothing is left to be further out."""
    _, found, _ = looked_at(METRICS + ARMS + f"effects: {{relabel: {relabel}}}\n", n=60)
    assert {method for name, method in found if name == "money"} == methods


def test_very_many_users_do_not_come_as_rows_unless_asked_for(monkeypatch):
    monkeypatch.setattr(shuffling, "MOST", 100)
    tables = shop(seed=2, n=100)
    _, found, _ = looked_at(METRICS + ARMS, tables)
    assert {method for _, method in found} == {"unadjusted"}
    _, found, _ = looked_at(METRICS + ARMS + "effects: {relabel: 30}\n", tables)
    assert ("money", "bootstrap") in found


def test_what_has_no_effect_has_no_other_view():
    facts = observed(METRICS + ARMS + FEW, orders="user|at|amount\n a|03-05|3\n z|03-06|1",
                     assignments="user|variant\n a|go\n b|stay")
    assert views(facts) == []
    assert views(observed(METRICS + "no_control_group: none\n", orders="user|at|amount\n a|03-05|3")) == []


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 10**6), st.integers(8, 90), st.sampled_from([0.0, 1.0, 4.0]),
       st.sampled_from([METRICS, SHARE, RATIO]), st.sampled_from([1.0, -1.0, 1e12]))
def test_no_view_contradicts_itself(seed, n, lift, metrics, unit):
    tables = shop(seed=seed, n=n, lift=lift)
    tables["assignments"].loc[:3, "variant"] = ["go", "stay", "go", "stay"]
    tables["orders"]["amount"] *= unit
    for row in views(observed(metrics + ARMS + FEW + PHASES, **tables)):
        assert_lawful(row, row.pvalue, row.alpha)
        assert_reasoned(row)
