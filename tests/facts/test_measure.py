"""Moments that the engine hands over, against numpy on the rows."""

import math

import ibis
import numpy as np
import pytest

from analysis.facts.measure import joint_moments, moments, paired_moments, ratio_moments
from analysis.stats.moments import PairedMoments, RatioMoments


def users(seed=1, n=500):
    draw = np.random.default_rng(seed)
    orders = draw.poisson(2, n).astype(float)
    return {"user_id": [f"u{i}" for i in range(n)], "variant": draw.choice(["a", "b"], n),
            "orders": orders, "amount": orders * draw.gamma(2, 10, n) + 1e9}


def test_moments_per_arm_and_large_values_do_not_cancel():
    rows = users()
    found = moments(ibis.memtable(rows), ["orders", "amount"])
    for arm in ("a", "b"):
        own = rows["amount"][rows["variant"] == arm]
        assert found[arm, "amount"].n == len(own)
        assert found[arm, "amount"].mean == pytest.approx(own.mean(), rel=1e-12)
        assert found[arm, "amount"].var == pytest.approx(own.var(ddof=1), rel=1e-7)


def test_one_user_has_no_variance():
    found = moments(ibis.memtable({"variant": ["a"], "orders": [3.0]}), ["orders"])["a", "orders"]
    assert (found.n, found.mean) == (1, 3.0) and math.isnan(found.var)


def test_moments_of_nobody_are_none_at_all():
    nobody = ibis.memtable({"variant": ["a"], "orders": [3.0]}).limit(0)
    assert moments(nobody, ["orders"]) == {}


def test_joint_moments_of_a_ratio():
    rows = users(2)
    found = ratio_moments(ibis.memtable(rows), "amount", "orders")["b"]
    top, bottom = (rows[c][rows["variant"] == "b"] for c in ("amount", "orders"))
    cov = np.cov(top, bottom, ddof=1)
    assert found == RatioMoments(len(top), *(pytest.approx(v, rel=1e-7) for v in (
        top.mean(), bottom.mean(), cov[0, 0], cov[1, 1], cov[0, 1])))


def two_phases():
    during, before = users(3), users(4)
    before["orders"] = during["orders"] + before["orders"]
    shuffled = {c: np.asarray(values)[::-1] for c, values in before.items()}
    return during, before, (ibis.memtable(during), ibis.memtable(shuffled))


def test_paired_moments_pair_the_users():
    during, before, tables = two_phases()
    cov = np.cov(during["orders"], before["orders"], ddof=1)
    assert paired_moments(*tables, ["orders"]) == PairedMoments(500, *(pytest.approx(v) for v in (
        during["orders"].mean(), before["orders"].mean(), cov[0, 0], cov[1, 1], cov[0, 1])))


def test_paired_moments_of_a_ratio_are_those_of_its_influence_values():
    during, before, tables = two_phases()
    found = paired_moments(*tables, ["amount", "orders"])
    values = []
    for rows in (during, before):
        ratio = rows["amount"].sum() / rows["orders"].sum()
        values.append(ratio + (rows["amount"] - ratio * rows["orders"]) / rows["orders"].mean())
    cov = np.cov(*values, ddof=1)
    assert found == PairedMoments(500, *(pytest.approx(v, rel=1e-6) for v in (
        values[0].mean(), values[1].mean(), cov[0, 0], cov[1, 1], cov[0, 1])))


def test_a_ratio_without_a_denominator_has_no_moments():
    rows = {"user_id": ["u", "v"], "top": [1.0, 2.0], "bottom": [0.0, 0.0]}
    found = paired_moments(ibis.memtable(rows), ibis.memtable(rows), ["top", "bottom"])
    assert math.isnan(found.mean_during) and found.n == 2




def test_joint_moments_of_several_sets_by_arm_and_stratum():
    rows = users() | {"tier": ["x", "y"] * 250, "visits": np.arange(500.0)}
    found = joint_moments(ibis.memtable(rows), [["amount", "orders"], ["visits"]], ["variant", "tier"])
    assert found.keys() == {(arm, tier) for arm in "ab" for tier in "xy"}
    for (arm, tier), (both, one) in found.items():
        own = (rows["variant"] == arm) & (np.array(rows["tier"]) == tier)
        values = np.array([rows["amount"][own], rows["orders"][own]])
        assert both.n == one.n == own.sum() and both.names == ("amount", "orders")
        assert both.mean == pytest.approx(values.mean(1)) and both.cov == pytest.approx(np.cov(values), rel=1e-7)
        assert one.cov[0, 0] == pytest.approx(rows["visits"][own].var(ddof=1))


def test_what_is_null_does_not_count_for_its_metric_and_its_set():
    wide = ibis.memtable({"variant": ["a"] * 4, "x": [1.0, 2.0, None, 4.0], "y": [2.0, None, 3.0, 8.0]})
    alone = moments(wide, ["x", "y"])
    assert (alone["a", "x"].n, alone["a", "x"].mean) == (3, pytest.approx(7 / 3))
    (both, one), = joint_moments(wide, [["x", "y"], ["x"]]).values()
    assert (both.n, list(both.mean), both.cov[0, 1]) == (2, [2.5, 5.0], pytest.approx(9.0))
    assert (one.n, one.metric("x").mean) == (3, pytest.approx(7 / 3))


# --- NIST StRD: certified values, https://www.itl.nist.gov/div898/strd ---

def accuracy(found, certified):
    """Digits that agree."""
    return 15.0 if found == certified else -math.log10(abs(found - certified) / abs(certified))


@pytest.mark.parametrize(("values", "mean", "deviation", "digits"), [
    ([10000001.0, 10000003.0, 10000002.0], 10000002.0, 1.0, 15),
    ([1.2, *[1.1, 1.3] * 500], 1.2, 0.1, 13),
    ([1000000.2, *[1000000.1, 1000000.3] * 500], 1000000.2, 0.1, 8),
    ([10000000.2, *[10000000.1, 10000000.3] * 500], 10000000.2, 0.1, 7.5)], ids=[f"NumAcc{i}" for i in range(1, 5)])
def test_univariate_accuracy(values, mean, deviation, digits):
    """The last digits of the two hard sets are lost when their decimals become binary: no more is in the data."""
    found = moments(ibis.memtable({"variant": ["a"] * len(values), "x": values}), ["x"])["a", "x"]
    assert accuracy(found.mean, mean) >= 14
    assert accuracy(math.sqrt(found.var), deviation) >= digits


@pytest.mark.parametrize(("base", "n", "digits"), [
    (base, n, digits) for base, digits in ((1, 13), (1e6, 9), (1e12, 3)) for n in (21, 201, 2001)],
    ids=[f"SmLs0{i}" for i in range(1, 10)])
def test_analysis_of_variance_accuracy(base, n, digits):
    """F from the moments of nine groups; certified: 21, 201, 2001. At 1e12 a double holds four decimals at most."""
    groups, tenths = [], []
    for k in range(9):
        centre = int(base) * 10 + (4 if k == 0 else 3 if k % 2 else 5)
        groups += [str(k)] * n
        tenths += [centre, *[centre - 1, centre + 1] * (n // 2)]
    values = [tenth / 10 for tenth in tenths]   # the double nearest to the decimal
    found = [own for (_, _), own in moments(ibis.memtable({"variant": groups, "x": values}), ["x"]).items()]
    grand = sum(own.mean for own in found) / 9
    between = sum(n * (own.mean - grand) ** 2 for own in found) / 8
    within = sum((n - 1) * own.var for own in found) / (9 * (n - 1))
    assert accuracy(between / within, n) >= digits


# --- many rows: the same sums by compiled code ---

def kept(rows):
    """A table of an engine, as facts are."""
    return ibis.duckdb.connect().create_table("wide", ibis.memtable(rows))


def same_moments(first, second):
    assert first.keys() == second.keys()
    for key in first:
        for one, other in zip(first[key], second[key], strict=True):
            assert (one.n, one.names) == (other.n, other.names)
            assert one.mean == pytest.approx(other.mean, rel=1e-12)
            assert one.cov == pytest.approx(other.cov, rel=1e-9)


def test_known_groups_are_summed_by_compiled_code_to_the_same_moments():
    wide, sets = kept(users(n=250_000)), [["amount", "orders"], ["orders"]]
    same_moments(joint_moments(wide, sets, groups=["b", "a"]), joint_moments(wide, sets))


@pytest.mark.parametrize("spoil", [{"orders": None}, {"variant": "c"}, {"variant": None}])
def test_nulls_are_left_to_the_engine_and_other_groups_left_out(spoil):
    rows = {name: list(values) for name, values in users(n=100).items()}
    for name, value in spoil.items():
        rows[name][7] = value
    wide, sets = kept(rows), [["amount", "orders"]]
    every, asked = joint_moments(wide, sets), joint_moments(wide, sets, groups=["a", "b"])
    assert asked.keys() == {("a",), ("b",)} and sum(own[0].n for own in asked.values()) == 99
    same_moments(asked, {key: every[key] for key in asked})


def test_a_group_whose_nothings_come_late_has_exactly_nothing():
    draw = np.random.default_rng(3)
    wide = kept({"variant": ["a"] * 5_000 + ["b"] * 777, "x": [*(draw.gamma(2, 0.1, 5_000) + 0.1), *np.zeros(777)]})
    assert joint_moments(wide, [["x"]], groups=["a", "b"])[("b",)][0].mean[0] == 0.0


def test_an_arm_without_users_has_no_moments():
    wide = kept(users(n=50))
    assert joint_moments(wide, [["orders"]], groups=["a", "b", "nobody"]).keys() == {("a",), ("b",)}
