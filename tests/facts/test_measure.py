"""Moments that the engine hands over, against numpy on the rows."""

import math

import ibis
import numpy as np
import pytest

from analysis.facts.measure import moments, paired_moments, ratio_moments
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


