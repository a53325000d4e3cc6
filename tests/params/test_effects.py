"""What a file may say of arms and effects: one clear message, at its line, for each thing that cannot be meant."""

import pytest

from tests.params.campaign_file import FULL, campaign, mistakes

ARMS = "arms:\n  control: holdout\n  shares: {campaign: 90%, holdout: 10%}\n"
USERS = "  users: {path: users.csv}\n"
POPULATION = "population: {consent: agreed, where: {tier: [gold, silver]}}\n"


def effects(said):
    return ("labels:", f"effects: {said}\nlabels:")


def arms(said):
    return ("holdout: 10%}\n", f"holdout: 10%}}\n  {said}\n")


def line_of(text, key):
    """Where the key stands, counted from 1."""
    return next(i for i, line in enumerate(text.splitlines(), 1) if line.lstrip().startswith(f"{key}:"))


def test_nothing_needs_to_be_said(tmp_path):
    found = campaign(tmp_path)
    assert (found.effects.adjust, found.effects.correction, found.effects.segments) == ("before", "holm", [])
    assert (found.effects.relabel, found.effects.prior, found.effects.looks) == (None, None, None)
    assert (found.arms.cluster, found.arms.strata) == ("", [])
    assert {metric.family for metric in found.metrics.values()} == {""}


@pytest.mark.parametrize(("said", "mean", "sd", "scale"), [
    ("{sd: 5%}", 0.0, 0.05, "relative"), ("{mean: -0.5%, sd: 0.1}", -0.005, 0.1, "relative"),
    ("{mean: 3, sd: '10', scale: absolute}", 3.0, 10.0, "absolute"),
    ("{mean: ＋２％, sd: 5％}", 0.02, 0.05, "relative")])
def test_a_prior_is_a_share_or_a_number(tmp_path, said, mean, sd, scale):
    prior = campaign(tmp_path, effects(f"{{prior: {said}}}")).effects.prior
    assert (prior.mean, prior.sd, prior.scale) == (pytest.approx(mean), pytest.approx(sd), scale)


@pytest.mark.parametrize(("said", "method", "planned", "tightest_at"), [
    ("{}", "always_valid", 0, 0), ("{tightest_at: 20000}", "always_valid", 0, 20_000),
    ("{method: pocock, planned: 2}", "pocock", 2, 0),
    ("{method: obrien_fleming, planned: 100}", "obrien_fleming", 100, 0)])
def test_looks_are_of_any_number_or_planned(tmp_path, said, method, planned, tightest_at):
    looks = campaign(tmp_path, effects(f"{{looks: {said}}}")).effects.looks
    assert (looks.method, looks.planned, looks.tightest_at) == (method, planned, tightest_at)


@pytest.mark.parametrize(("said", "runs"), [("0", 0), ("1", 1), ("100_000", 100_000), ("", None)])
def test_relabel_is_a_number_of_shuffles(tmp_path, said, runs):
    assert campaign(tmp_path, effects(f"{{relabel: {said}}}")).effects.relabel == runs


def test_secondary_metrics_have_families_and_arms_strata_or_clusters(tmp_path):
    found = campaign(tmp_path, ("buyers: {any: orders}", "buyers: {any: orders, family: reach}"),
                     arms("strata: [tier, city]"), effects("{segments: [tier], correction: benjamini_hochberg}"))
    assert (found.metrics["buyers"].family, found.arms.strata) == ("reach", ["tier", "city"])
    assert (found.effects.segments, found.effects.correction) == (["tier"], "benjamini_hochberg")
    assert "segments" in found.blocks and "segments" not in campaign(tmp_path).blocks
    assert campaign(tmp_path, arms("cluster: store")).arms.cluster == "store"


BOTH = "`planned:` (2 or more looks) goes with obrien_fleming and pocock, and both need it"


@pytest.mark.parametrize(("said", "where", "message"), [
    ("{ajust: none}", "effects.ajust", "unknown key (did you mean 'adjust'?)"),
    ("{adjust: always}", "effects.adjust", "'always' is not one of before, none"),
    ("{correction: bonferroni}", "effects.correction",
     "'bonferroni' is not one of holm, benjamini_hochberg (did you mean 'holm'?)"),
    ("{correction: bh}", "effects.correction",
     "'bh' is not one of holm, benjamini_hochberg (did you mean 'benjamini_hochberg'?)"),
    ("{correction: FDR}", "effects.correction",
     "'FDR' is not one of holm, benjamini_hochberg (did you mean 'benjamini_hochberg'?)"),
    ("{correction: Benjamini-Hochberg}", "effects.correction", "(did you mean 'benjamini_hochberg'?)"),
    ("{correction: none at all}", "effects.correction", "'none at all' is not one of holm, benjamini_hochberg"),
    ("{segments: tier}", "effects.segments", "expected a list, found 'tier'; write [tier]"),
    ("{segments: 'tier, city'}", "effects.segments", "expected a list, found 'tier, city'; write [tier, city]"),
    ("{segments: {tier: gold}}", "effects.segments",
     "expected a list, found 1 keys and values; begin each part of the list with '- '"),
    ("{relabel: -1}", "effects.relabel", "expected 0 or more, found '-1'"),
    ("{relabel: 100001}", "effects.relabel", "expected 100000 or less, found '100001'"),
    ("{relabel: often}", "effects.relabel", "expected a whole number, found 'often'"),
    ("{relabel: 2.5}", "effects.relabel", "expected a whole number, found '2.5'"),
    ("{prior: {}}", "effects.prior.sd", "missing: how far off that may well be: two thirds of such effects"),
    ("{prior: {mean: 5%}}", "effects.prior.sd", "missing: how far off that may well be"),
    ("{prior: {sd: 0%}}", "effects.prior", "sd is 0; it must be above 0"),
    ("{prior: {sd: -3%}}", "effects.prior", "sd is -0.03; it must be above 0"),
    ("{prior: {sd: wide}}", "effects.prior.sd", "'wide' is not a change like 5% or a number like 0.3"),
    ("{prior: {sd: .inf}}", "effects.prior.sd", "'.inf' is not a change like 5% or a number like 0.3"),
    ("{prior: {sd: 5%, scale: percent}}", "effects.prior.scale", "'percent' is not one of relative, absolute"),
    ("{prior: {sd: 5%, spread: 2}}", "effects.prior.spread", "unknown key"),
    ("{looks: {method: pocock}}", "effects.looks", BOTH),
    ("{looks: {method: obrien_fleming, planned: 0}}", "effects.looks", BOTH),
    ("{looks: {planned: 4}}", "effects.looks", BOTH),
    ("{looks: {method: pocock, planned: 1}}", "effects.looks",
     "planned is 1; a single look at the end needs no `looks:`"),
    ("{looks: {method: pocock, planned: 101}}", "effects.looks.planned", "expected 100 or less, found '101'"),
    ("{looks: {method: pocock, planned: 3, tightest_at: 9}}", "effects.looks", "`tightest_at:` goes with always_valid"),
    ("{looks: {tightest_at: -1}}", "effects.looks.tightest_at", "expected 0 or more, found '-1'"),
    ("{looks: {method: daily}}", "effects.looks.method", "'daily' is not one of always_valid, obrien_fleming, pocock"),
    ("{looks: daily}", "effects.looks", "expected keys and values, found 'daily'"),
    ("{segments: [tier, tier]}", "effects.segments", "names 'tier' twice"),
    ("{segments: [user_id]}", "effects.segments", "names 'user_id', which tells users apart and is no group of them"),
    ("{segments: [orders]}", "effects.segments",
     "names 'orders', which is a metric too; call the metric otherwise, or the column with `columns:`"),
    ("{segments: [Orders]}", "effects.segments", "names 'Orders', which is a metric too")])
def test_what_cannot_be_meant_of_effects_is_said_once(tmp_path, said, where, message):
    (found,) = mistakes(tmp_path, effects(said))
    assert found[1] == where and message in found[2]
    assert found[0] == line_of(FULL, "labels")


@pytest.mark.parametrize(("said", "where", "message"), [
    ("clusters: store", "arms.clusters", "unknown key (did you mean 'cluster'?)"),
    ("strata: tier", "arms.strata", "expected a list, found 'tier'; write [tier]"),
    ("strata: [tier, tier]", "arms.strata", "names 'tier' twice"),
    ("strata: [amount]", "arms.strata", "names 'amount', which is a metric too"),
    ("cluster: user_id", "arms.cluster", "names 'user_id', which tells users apart and is no group of them"),
    ("cluster: orders", "arms.cluster", "names 'orders', which is a metric too"),
    ("cluster: store\n  strata: [tier]", "arms.strata", "stands beside `cluster:`")])
def test_what_cannot_be_meant_of_arms_is_said_once(tmp_path, said, where, message):
    (found,) = mistakes(tmp_path, arms(said))
    assert found[1] == where and message in found[2]
    assert found[0] in (line_of(FULL, "shares") + 1, line_of(FULL, "shares") + 2)


@pytest.mark.parametrize(("change", "said", "where", "message"), [
    (arms("cluster: store"), "{looks: {}}", "effects.looks", "always_valid needs many independent units"),
    (arms("cluster: store"), "{segments: [store]}", "effects.segments",
     "names 'store', the cluster: each of them is in one arm alone")])
def test_what_clusters_rule_out_is_said_once(tmp_path, change, said, where, message):
    (found,) = mistakes(tmp_path, change, effects(said))
    assert found[1] == where and message in found[2]


def test_looks_that_were_planned_go_with_clusters(tmp_path):
    assert mistakes(tmp_path, arms("cluster: store"), effects("{looks: {method: pocock, planned: 3}}")) == []


@pytest.mark.parametrize("change", [effects("{segments: [tier]}"), arms("strata: [tier]"), arms("cluster: tier")])
def test_columns_of_users_need_a_table_of_users(tmp_path, change):
    (found,) = mistakes(tmp_path, (USERS, ""), (POPULATION, ""), change)
    assert found[2] == "names columns of users, but `sources:` has no `users:`"
    assert found[1] in ("effects.segments", "arms.strata", "arms.cluster")


@pytest.mark.parametrize(("said", "is_a_mistake"), [
    ("{relabel: 10}", True), ("{}", False), ("{adjust: before}", False)])
def test_effects_are_about_arms(tmp_path, said, is_a_mistake):
    goal = "  - {metric: soon, target: +5%, baseline: control, measure: per_user}\n"
    found = mistakes(tmp_path, (ARMS, "no_control_group: why\n"), (goal, ""), effects(said))
    assert found == ([(line_of(FULL, "labels") - 3, "effects", "is about arms, and the campaign has none")]
                     if is_a_mistake else [])


@pytest.mark.parametrize(("old", "new", "message"), [
    ("role: primary, unit", "role: primary, family: worth, unit", "family 'worth' is said of a primary metric"),
    ("role: guardrail, margin", "role: guardrail, family: worth, margin",
     "family 'worth' is said of a guardrail metric"),
    ("over: after, role: described", "over: after, family: worth, role: described",
     "family 'worth' is said of a described metric"),
    ("[amount, orders]", "[orders, orders]", "divides 'orders' by itself")])
def test_what_cannot_be_meant_of_a_metric_is_said_once(tmp_path, old, new, message):
    (found,) = mistakes(tmp_path, (old, new))
    assert message in found[2]


@pytest.mark.parametrize(("said", "where", "message"), [
    ("{of: orders.amount, at: 90}", "quantiles.big.at", "'90' is not between 0% and 100%; write 90%"),
    ("{of: orders.amount, at: 100%}", "quantiles.big", "at is 100%; it must lie between 0% and 100%, such as 90%"),
    ("{of: amount, at: 90%}", "quantiles.big", "of 'amount' is not table.column, like orders.amount"),
    ("{of: users.age, at: 90%}", "quantiles.big", "'users' is not a table of rows; there is events, orders")])
def test_what_cannot_be_meant_of_a_quantile_is_said_once(tmp_path, said, where, message):
    found = mistakes(tmp_path, ("labels:", f"quantiles: {{big: {said}}}\nlabels:"))
    assert found == [(line_of(FULL, "labels"), where, message)]


def test_a_part_that_cannot_be_read_makes_no_second_mistake(tmp_path):
    assert len(mistakes(tmp_path, effects("{segments: [tier], prior: {sd: 0}}"))) == 1
    assert len(mistakes(tmp_path, ("control: holdout", "contrl: holdout"), effects("{segments: [tier]}"))) == 2
