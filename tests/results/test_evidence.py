"""All that stands beside the effects, in campaigns where something is missing: no traceback, no unexplained gap."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from analysis.results.evidence import Evidence, evidence
from analysis.results.goals import goals
from analysis.results.trust import checks, state
from analysis.results.uplift import uplifts
from analysis.results.verdict import verdict
from tests.people import METRICS, assert_lawful, assert_reasoned
from tests.shops import PHASES, shop
from tests.tables import observed

ARMS = "arms: {control: stay, shares: {stay: 50%, go: 50%}}\n"
STRATA = ARMS.replace("}}", "}, strata: [tier]}")
CLUSTERED = ARMS.replace("}}", "}, cluster: shop}")
ASKED = "effects: {relabel: 25, segments: [tier], prior: {sd: 5%}}\n"
GOALS = "goals: [{metric: money, target: +5%, baseline: control, measure: per_user}]\n"
SHARE = METRICS.replace(", role: primary", "").replace("{any: orders}", "{any: orders, role: primary}")


def answers(params, tables):
    """Effects, evidence, checks, verdict and goals of a campaign, of which all holds that must hold of every one."""
    facts = observed(ASKED + GOALS + params, **tables)
    effects, beside, found = uplifts(facts), evidence(facts), checks(facts)
    answer = verdict(facts, found, effects)
    for row in [*effects, *beside.views, *beside.segments, *beside.segment_tests, *beside.balance, *beside.trends,
                *beside.days, *beside.beliefs]:
        assert_reasoned(row)
    for row in [*effects, *beside.segments]:
        assert_lawful(row, row.pvalue_adjusted, 0.05)
    for row in [*beside.views, *beside.days]:
        assert_lawful(row, row.pvalue, row.alpha)
    assert (answer.answer == "do_not_trust") == (state(found) == "fail")
    assert all((goal.verdict == "unknown") == bool(goal.reason) for goal in goals(facts))
    return effects, beside, answer


def the_shop(n=120, **columns):
    tables = shop(seed=1, n=n)
    variant = tables["assignments"]["variant"]
    tables["users"] = tables["assignments"][["user_id"]].assign(**{
        "tier": np.where(np.arange(n) % 2, "x", "y"), "shop": variant + (np.arange(n) % 11).astype(str), **columns})
    return tables


def during(orders):
    return orders["ordered_at"].between("2024-03-04", "2024-03-10 23:59")


def of_arm(tables, arm):
    return tables["orders"]["user_id"].map(tables["assignments"].set_index("user_id")["variant"]) == arm


def but(tables, **changes):
    return tables | {name: change(tables[name]) for name, change in changes.items()}


WRONG = {
    "nothing": lambda t: t,
    "no value of a segment": lambda t: but(t, users=lambda own: own.assign(tier=None)),
    "no cluster": lambda t: but(t, users=lambda own: own.assign(shop=None)),
    "a cluster in two arms": lambda t: but(t, users=lambda own: own.assign(
        shop=[f"s{i % 12}" for i in range(len(own))])),
    "40 segments": lambda t: but(t, users=lambda own: own.assign(tier=[i % 40 for i in range(len(own))])),
    "nobody bought during": lambda t: but(t, orders=lambda own: own[~during(own)]),
    "control bought nothing": lambda t: but(t, orders=lambda own: own[~(during(own) & of_arm(t, "stay"))]),
    "treatment bought nothing": lambda t: but(t, orders=lambda own: own[~(during(own) & of_arm(t, "go"))]),
    "nobody bought before": lambda t: but(t, orders=lambda own: own[own["ordered_at"] >= "2024-03-04"]),
    "amounts of nothing": lambda t: but(t, orders=lambda own: own.assign(amount=0.0)),
    "refunds": lambda t: but(t, orders=lambda own: own.assign(amount=own["amount"] * np.where(own.index % 2, 1, -1))),
    "huge amounts": lambda t: but(t, orders=lambda own: own.assign(amount=own["amount"] * 1e12)),
    "one user per arm": lambda t: but(t, assignments=lambda own: own.groupby("variant").head(1)),
    "two users per arm": lambda t: but(t, assignments=lambda own: own.groupby("variant").head(2)),
    "no control": lambda t: but(t, assignments=lambda own: pd.concat(
        [own, own[own["variant"] == "stay"].assign(variant="go")])),
    "late users": lambda t: but(t, assignments=lambda own: own.assign(
        assigned_at=[f"2024-03-0{4 + i % 6}" for i in range(len(own))])),
    "late users alone": lambda t: but(t, assignments=lambda own: own.assign(assigned_at="2024-03-07")),
    "registered after": lambda t: but(t, users=lambda own: own.assign(registered_at="2024-03-25")),
    "registered during": lambda t: but(t, users=lambda own: own.assign(registered_at=np.where(
        own.index % 3, "2024-01-02", "2024-03-05"))),
}


HOPELESS = {"one user per arm", "no control", "amounts of nothing", "nobody bought during", "no cluster"}


def assert_answered(wrong, params, metrics=METRICS):
    effects, _, answer = answers(metrics + params + PHASES, WRONG[wrong](the_shop()))
    assert len(effects) == 4
    if wrong in HOPELESS:
        assert answer.answer in ("cannot_tell", "do_not_trust")
    return effects


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_is_missing_there_is_an_answer_with_a_reason(wrong):
    assert_answered(wrong, CLUSTERED if "cluster" in wrong or wrong == "registered after" else ARMS)


@pytest.mark.calibration
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(("metrics", "params"), [(METRICS, STRATA), (METRICS, CLUSTERED), (SHARE, ARMS)])
def test_in_every_kind_of_campaign(wrong, metrics, params):
    assert_answered(wrong, params, metrics)


@pytest.mark.parametrize("params", [
    ARMS, PHASES + ARMS + "data_until: 2024-03-06\n", PHASES + CLUSTERED + "data_until: 2024-03-06\n",
    PHASES + ARMS + "closed: [2024-03-05, 2024-03-06, 2024-03-07, 2024-03-08]\n", CLUSTERED,
    PHASES + STRATA + "effects: {relabel: 0}\n"])
def test_whatever_the_params_leave_out_too(params):
    answers(METRICS + params, the_shop())


def test_users_whom_nobody_assigned_may_be_an_arm():
    tables = the_shop()
    arms = tables["assignments"]
    tables["assignments"] = arms[(arms["variant"] == "go") | (arms.index < 4)]
    effects, _, _ = answers(METRICS + ARMS + PHASES + "population: {unassigned: stay}\n", tables)
    assert effects[0].n_control == (arms["variant"] == "stay").sum()


@pytest.mark.parametrize("wrong", ["control bought nothing", "nobody bought during"])
def test_a_share_as_the_primary_metric(wrong):
    assert assert_answered(wrong, STRATA, SHARE)[0].metric == "buyers"


def test_clusters_that_lie_in_two_arms_void_the_verdict():
    _, _, answer = answers(METRICS + CLUSTERED + PHASES, WRONG["a cluster in two arms"](the_shop()))
    assert (answer.answer, "clusters_in_two_arms" in answer.reasons) == ("do_not_trust", True)


def test_without_arms_all_is_empty():
    facts = observed(METRICS + "no_control_group: none\n", orders="user|at|amount\n a|03-05|3")
    assert all(getattr(evidence(facts), field.name) == [] for field in fields(Evidence))
