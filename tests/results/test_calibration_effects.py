"""How often the report claims an effect where there is none: arms of a campaign drawn anew, thousands of times.

What users do stays as it is and the arms are dealt again, so nobody's arm did anything. Every draw goes through
`uplifts` (or `segments`); its moments are taken by numpy, which is held against the engine's once.
"""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from analysis.facts.compared import covariates
from analysis.results import relabelled as shuffling
from analysis.results import segments as segmenting
from analysis.results.contrast import parts_of
from analysis.results.relabelled import relabelled
from analysis.results.segments import segments
from analysis.results.uplift import uplifts
from analysis.stats.clusters import ClusterSums
from analysis.stats.moments import JointMoments
from tests.people import METRICS
from tests.shops import PHASES, shop
from tests.tables import observed

pytestmark = pytest.mark.calibration

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
STRATA = ARMS.replace("}}", "}, strata: [tier]}")
CLUSTERED = ARMS.replace("}}", "}, cluster: shop}")
NAMES = ("money", "buyers", "orders", "basket")
RUNS = 1_500


@cache
def campaign(params="", arms=ARMS, n=600, share=0.5, amounts="gamma", seed=11):
    """A shop without any effect; the first users are in the arm, `share` of all."""
    tables = shop(seed=seed, n=n, lift=0.0)
    draw = np.random.default_rng(seed)
    tables["assignments"]["variant"] = np.where(np.arange(n) < round(share * n), "go", "stay")
    if amounts == "heavy":
        tables["orders"]["amount"] = draw.lognormal(0, 2.5, len(tables["orders"]))
    shops = np.array([f"s{i:02}" for i in draw.integers(0, 24, n)])
    users = tables["assignments"][["user_id"]].assign(tier=draw.choice(["gold", "grey", "none"], n), shop=shops)
    if "cluster" in arms:
        mood = dict(zip(sorted(set(shops)), draw.gamma(4, 0.25, 24), strict=True))
        tables["orders"]["amount"] *= tables["orders"]["user_id"].map(dict(zip(users["user_id"], shops, strict=True))
                                                                      ).map(mood)
        tables["assignments"]["variant"] = np.where(shops < "s12", "go", "stay")
    metrics = METRICS.replace("{any: orders}", "{any: orders, role: secondary}")
    return observed(metrics + arms + PHASES + params, users=users, **tables), users


def dealt(facts, users, generator):
    """The same campaign with its arms dealt anew: whole clusters, else users one by one, as many as there are."""
    rows = shuffling.tested_rows(facts, "money")
    if facts.campaign.arms.cluster:
        shops = users.sort_values("user_id")["shop"].to_numpy()
        order = generator.permutation(np.unique(shops))
        return np.where(np.isin(shops, order[:12]), "go", "stay")
    return generator.permutation(rows.variant)


def moments_of(rows, names, chosen):
    own = np.column_stack([rows.columns[name][chosen] for name in names])
    return JointMoments(len(own), tuple(names), own.mean(0), np.atleast_2d(np.cov(own.T)))


def with_arms(facts, users, variant):
    """A campaign of which all that the effects ask for is made of these arms."""
    rows, kept = shuffling.tested_rows(facts, "money"), {"is_before_covered": True}
    for name in NAMES:
        parts = parts_of(facts, name)
        names = [*parts, *covariates(facts, parts)]
        if facts.campaign.arms.cluster:
            kept["clusters", name] = sums_of(rows, parts, users.sort_values("user_id")["shop"].to_numpy(), variant)
        else:
            strata = np.unique(rows.stratum)
            kept["contrast", name] = {(str(i),): {arm: moments_of(rows, names, (variant == arm) & (rows.stratum == i))
                                                  for arm in ("go", "stay")} for i in strata}
    return replace(facts, kept=kept)


def sums_of(rows, parts, shops, variant):
    made, place = {}, np.unique(shops, return_inverse=True)[1]
    for arm in ("go", "stay"):
        own = variant == arm
        size, top, bottom, squares = (np.bincount(place[own], weights, minlength=24) for weights in (
            None, rows.columns[parts[0]][own], rows.columns[parts[-1]][own], rows.columns[parts[0]][own] ** 2))
        has = size > 0
        size, top, bottom, squares = size[has].astype(float), top[has], bottom[has], squares[has]
        made[arm] = ClusterSums(size, top, bottom if len(parts) > 1 else size, (squares - top**2 / size) / (size - 1))
    return made


@cache
def pvalues(params="", arms=ARMS, runs=RUNS, **how):
    """(runs, metrics): raw p, and adjusted p, of each draw."""
    facts, users = campaign(params, arms, **how)
    generator, raw, adjusted = np.random.default_rng(5), [], []
    for _ in range(runs):
        found = uplifts(with_arms(facts, users, dealt(facts, users, generator)))
        raw.append([row.pvalue for row in found])
        adjusted.append([row.pvalue_adjusted for row in found])
    return np.array(raw), np.array(adjusted)


def bound(rate, runs):
    """Four Monte-Carlo standard errors."""
    return 4 * math.sqrt(rate * (1 - rate) / runs)


@pytest.mark.parametrize("arms", [ARMS, STRATA, CLUSTERED])
def test_moments_by_numpy_are_the_engines(arms):
    facts, users = campaign("", arms)
    own = uplifts(with_arms(facts, users, shuffling.tested_rows(facts, "money").variant))
    for one, other in zip(own, uplifts(replace(facts, kept={})), strict=True):
        assert (one.metric, one.method) == (other.metric, other.method)
        assert (one.diff, one.pvalue, one.rel_diff_upper) == pytest.approx(
            (other.diff, other.pvalue, other.rel_diff_upper))


@pytest.mark.parametrize(("params", "arms", "methods"), [
    ("", ARMS, ["adjusted", "score", "adjusted", "adjusted"]),
    ("effects: {adjust: none}\n", ARMS, ["welch", "score", "welch", "delta"]),
    ("", STRATA, ["adjusted", "strata", "adjusted", "adjusted"])])
def test_five_percent_of_clean_runs_claim_an_effect(params, arms, methods):
    facts, users = campaign(params, arms)
    own = shuffling.tested_rows(facts, "money").variant
    assert [row.method for row in uplifts(with_arms(facts, users, own))] == methods
    rates = (pvalues(params, arms)[0] < 0.05).mean(0)
    assert rates == pytest.approx(0.05, abs=bound(0.05, RUNS)), rates


def test_clusters_of_uneven_size_claim_an_effect_in_about_five_percent():
    rates = (pvalues("", CLUSTERED)[0] < 0.05).mean(0)
    assert rates == pytest.approx(0.05, abs=bound(0.05, RUNS)), rates
    alone = (pvalues("", CLUSTERED)[0] < 0.5).mean(0)
    assert alone == pytest.approx(0.5, abs=0.06), alone


def test_users_taken_one_by_one_where_clusters_were_drawn_would_cry_wolf():
    """What clusters are for: the same draws compared as if each user had been drawn."""
    facts, users = campaign("", CLUSTERED)
    single, _ = campaign("effects: {adjust: none}\n", ARMS)
    rows, alarms, generator = shuffling.tested_rows(facts, "money"), 0, np.random.default_rng(5)
    for _ in range(500):
        variant = dealt(facts, users, generator)
        own = {("",): {arm: moments_of(rows, ["money"], variant == arm) for arm in ("go", "stay")}}
        alarms += uplifts(replace(single, kept={**with_arms(single, users, variant).kept,
                                                ("contrast", "money"): own}))[0].pvalue < 0.05
    assert alarms / 500 > 0.08


def test_of_a_family_one_in_twenty_clean_campaigns_has_a_false_claim_at_most():
    _, adjusted = pvalues("", ARMS)
    anyone = (adjusted[:, 1:] < 0.05).any(axis=1).mean()
    assert 0.02 < anyone < 0.05 + bound(0.05, RUNS)


@pytest.mark.parametrize(("looks", "most", "runs"), [
    ("{method: always_valid}", 0.006, 1_000), ("{method: pocock, planned: 3}", 0.024, 200)])
def test_the_end_of_a_campaign_that_was_looked_at_claims_less(looks, most, runs):
    """The level that the looks leave for the end: 2 (1 - Phi(3.04)) = .24 %, and 2 (1 - Phi(2.26)) = 2.4 %."""
    _, adjusted = pvalues(f"effects: {{looks: {looks}}}\n", ARMS, runs)
    assert (adjusted[:, 0] < 0.05).mean() < most + bound(most, runs)


@pytest.mark.parametrize(("params", "arms"), [("", ARMS), ("", STRATA), ("", CLUSTERED)])
def test_shuffled_labels_tell_the_same_rate(params, arms):
    """Two independent counts of one rate."""
    facts, _ = campaign(params, arms)
    shuffled = {row.metric: row.rate for row in relabelled(facts).calibrations}
    rates = dict(zip(NAMES, (pvalues(params, arms)[0] < 0.05).mean(0), strict=True))
    for name in NAMES:
        assert shuffled[name] == pytest.approx(rates[name], abs=4 * math.sqrt(0.05 * 0.95 * (1 / RUNS + 1 / 1_000)))


def test_where_a_method_is_really_wrong_it_is_flagged():
    """20 users against 980, whose amounts are of very different size: the p-values are too small, and it is told."""
    how = {"n": 1_000, "share": 0.02, "amounts": "heavy"}
    facts, _ = campaign("effects: {adjust: none}\n", ARMS, **how)
    rate = (pvalues("effects: {adjust: none}\n", ARMS, **how)[0][:, 0] < 0.05).mean()
    row = next(row for row in relabelled(facts).calibrations if row.metric == "money")
    assert rate > 0.1 and row.is_off and row.rate == pytest.approx(rate, abs=4 * math.sqrt(0.1 / 1_000))
    clean = next(row for row in relabelled(campaign()[0]).calibrations if row.metric == "money")
    assert not clean.is_off


@pytest.mark.parametrize("n", [240, 900])
def test_segments_of_some_dozens_of_users_differ_in_five_percent_of_clean_runs(n, monkeypatch):
    facts, users = campaign("effects: {segments: [tier]}\n", n=n)
    rows, generator = shuffling.tested_rows(facts, "money"), np.random.default_rng(7)
    tiers = users.sort_values("user_id")["tier"].to_numpy()
    names, found = ["money", "money:before"], []
    for _ in range(1_000):
        variant = dealt(facts, users, generator)
        own = {(tier,): {arm: moments_of(rows, names, (variant == arm) & (tiers == tier)) for arm in ("go", "stay")}
               for tier in np.unique(tiers)}
        monkeypatch.setattr(segmenting, "arm_moments", lambda *_, own=own: [own])
        found.append(segments(replace(facts, kept={**with_arms(facts, users, variant).kept}))[1][0].pvalue)
    assert (np.array(found) < 0.05).mean() == pytest.approx(0.05, abs=bound(0.05, 1_000))
