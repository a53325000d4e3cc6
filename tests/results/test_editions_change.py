"""What changed between two editions: only numbers that are defined alike, and only what chance does not explain."""

import math

import numpy as np
import pytest

from analysis.results.editions.change import since
from tests.editions import level, record


def changes(before, now):
    return {(c.kind, c.name, c.group): c for c in since(before, now).changes}


def left_out(before, now):
    return {(row.kind, row.name, row.group): (row.reason, row.before, row.now) for row in since(before, now).left_out}


def later(**more):
    return record("2", "2026-03-01", "2026-03-10", **more)


def test_an_edition_is_like_itself():
    found = since(record(), record())
    assert {c.verdict for c in found.changes} == {"cannot_tell", "counted"}
    assert {c.diff for c in found.changes} == {0.0} and found.left_out == [] and found.checks == []
    assert [(c.kind, c.name, c.group) for c in found.changes] == [
        ("level", "spend", ""), ("level", "buyers", ""), ("level", "basket", ""), ("effect", "spend", "campaign"),
        ("funnel", "shop", "pay"), ("cost", "", "")]
    assert [(goal.before, goal.now) for goal in found.goals] == [("met", "met")]


def test_a_difference_is_told_where_both_standard_errors_allow_it():
    """spend: 20 +- 1 and 23 +- 1, so z = 3 / (sqrt(2) / 1.962) = 4.16; basket: 12 +- 0.5 and 12.3 +- 0.5, z = 0.83."""
    now = later()
    now["phases"] = [level("spend", 23.0, 1.0), level("buyers", 0.30, 0.03, "share"), level("basket", 12.3, 0.5)]
    found = changes(record(), now)
    spend, basket = found["level", "spend", ""], found["level", "basket", ""]
    assert spend.verdict == "higher" and basket.verdict == "cannot_tell"
    assert spend.pvalue == pytest.approx(math.erfc(4.162 / math.sqrt(2)), rel=0.05)
    assert (spend.before, spend.before_lower, spend.now_upper, spend.diff) == (20.0, 19.0, 24.0, 3.0)
    assert all(c.pvalue_adjusted >= c.pvalue for c in found.values() if not math.isnan(c.pvalue))
    for change in found.values():   # the interval and the claim tell one story
        if not math.isnan(change.pvalue_adjusted):
            assert (change.diff_lower > 0 or change.diff_upper < 0) == (change.verdict != "cannot_tell")


def test_shares_and_rates_are_tested_by_their_counts():
    now = later()
    now["phases"][1] = level("buyers", 0.40, 0.03, "share")
    now["funnels"][1]["rate"] = 0.35
    found = changes(record(), now)
    assert found["level", "buyers", ""].verdict == "higher" and found["funnel", "shop", "pay"].verdict == "higher"
    assert found["funnel", "shop", "pay"].pvalue == pytest.approx(0.0021, abs=2e-4)   # score test: 140, 100 of 400


def test_turning_the_two_around_turns_the_signs():
    now = later()
    now["phases"][0] = level("spend", 23.0, 1.0)
    there, back = changes(record(), now), changes(now, record())
    for key, change in there.items():
        assert back[key].diff == pytest.approx(-change.diff) and (
            math.isnan(change.pvalue) or back[key].pvalue == pytest.approx(change.pvalue))


@pytest.mark.parametrize(("where", "aspect", "text", "gone"), [
    ("metrics.spend", "counted", "sum of orders.net", {("level", "spend", ""), ("effect", "spend", "campaign"),
                                                      ("goal", "spend", "")}),
    ("metrics.spend", "unit", "EUR", {("level", "spend", ""), ("effect", "spend", "campaign"), ("goal", "spend", "")}),
    ("metrics.buyers", "window", "7 days", {("level", "buyers", "")}),
    ("metrics.basket", "kind", "sum", {("level", "basket", "")}),
    ("funnels.shop", "window", "14 days", {("funnel", "shop", "pay")}),
    ("funnels.shop", "steps", "visit > cart > pay", {("funnel", "shop", "pay")}),
    ("effects", "control", "nobody", {("effect", "spend", "campaign")}),
])
def test_a_number_that_is_defined_otherwise_is_refused_with_the_reason(where, aspect, text, gone):
    now, place = later(), None
    place = now["definitions"]
    for key in where.split("."):
        place = place[key]
    was, place[aspect] = place[aspect], text
    refused = left_out(record(), now)
    assert refused.keys() == gone and not gone & changes(record(), now).keys()
    assert {reason[0] for reason in refused.values()} == {aspect}
    assert {reason[1].split(",")[0] for reason in refused.values()} == {was.split(",")[0]}


@pytest.mark.parametrize(("change", "reason"), [
    (lambda r: r["definitions"].update(population="tier = gold"), "population"),
    (lambda r: r["campaign"].update(time_zone="Asia/Shanghai"), "time_zone"),
])
def test_other_users_or_days_leave_no_level(change, reason):
    now = later()
    change(now)
    refused = {key: why[0] for key, why in left_out(record(), now).items() if key[0] == "level"}
    assert set(refused.values()) == {reason} and len(refused) == 3
    assert not [key for key in changes(record(), now) if key[0] in ("level", "effect")]


def test_another_method_currency_or_target_is_refused():
    now = later()
    now["effects"][0]["method"], now["campaign"]["currency"] = "adjusted", "EUR"
    now["goals"][0]["target_change"] = 0.2
    assert left_out(record(), now) == {
        ("effect", "spend", "campaign"): ("method", "adjusted by before, welch", "adjusted by before, adjusted"),
        ("cost", "", ""): ("unit", "USD", "EUR"), ("goal", "spend", ""): ("target", "0.1", "0.2")}


def test_what_adds_up_is_compared_per_day_when_the_periods_differ():
    now = later(days=20.0)
    now["phases"][0] = level("spend", 40.0, 2.0, days=20.0)
    found = changes(record(), now)
    spend = found["level", "spend", ""]
    assert spend.is_per_day and (spend.before, spend.now, spend.now_upper) == (2.0, 2.0, pytest.approx(2.1))
    assert spend.pvalue == pytest.approx(1.0)
    assert not found["level", "basket", ""].is_per_day                     # a ratio does not add up
    assert found["effect", "spend", "campaign"].is_per_day
    assert left_out(record(), now) == {("level", "buyers", ""): ("length", "10", "20")}


def test_what_the_data_do_not_cover_or_only_one_has_is_not_compared():
    now = later()
    now["phases"][0] |= {"is_cut": True}
    now["phases"][1] |= {"mean": None, "mean_lower": None, "mean_upper": None}
    del now["phases"][2], now["effects"][0]
    assert left_out(record(), now) == {
        ("level", "spend", ""): ("not_covered", "", ""), ("level", "buyers", ""): ("no_number", "", ""),
        ("level", "basket", ""): ("only_before", "", ""), ("effect", "spend", "campaign"): ("only_before", "", "")}


def test_a_constant_is_shown_and_never_told_to_differ():
    both = [record(), later()]
    for each in both:
        each["phases"][0] |= {"mean_lower": None, "mean_upper": None}
    spend = changes(*both)["level", "spend", ""]
    assert (spend.verdict, spend.reason, math.isnan(spend.pvalue)) == ("cannot_tell", "zero_variance", True)


def test_checks_are_told_when_their_state_turned():
    now = later()
    now["checks"] = [{"name": "duplicates", "subject": "events", "state": "warn"},
                     {"name": "split", "subject": "", "state": "fail"},
                     {"name": "alike", "subject": "x", "state": "ok"}]
    assert [(c.name, c.before, c.now) for c in since(record(), now).checks] == [
        ("duplicates", "ok", "warn"), ("split", "", "fail")]


@pytest.mark.parametrize(("spoil", "reason"), [
    (lambda r: r.update(schema_version="2.0"), "other_schema"), (lambda r: r.pop("schema_version"), "other_schema"),
    (lambda r: r.pop("definitions"), "no_definitions")])
def test_records_of_other_versions_are_refused_whole(spoil, reason):
    other = record()
    spoil(other)
    for pair in ((other, later()), (later(), other)):
        found = since(*pair)
        assert (found.reason, found.changes, found.left_out, found.goals) == (reason, [], [], [])


def test_two_editions_that_are_alike_rarely_differ():
    """400 pairs of editions of one truth, 3 levels and a rate each: some claim in about 5 of 100 (Holm), 9 at most."""
    rng, n_claims = np.random.default_rng(7), 0
    for _ in range(400):
        pair = [record(), later()]
        for each in pair:
            for row, sd in zip((each["phases"][0], each["phases"][2]), (16.0, 8.0), strict=True):
                se = sd / math.sqrt(1000)
                mean = row["mean"] + rng.normal(0, se)
                row |= {"mean": mean, "mean_lower": mean - 1.9623 * se, "mean_upper": mean + 1.9623 * se}
            each["phases"][1]["mean"] = rng.binomial(1000, 0.3) / 1000
            each["funnels"][1]["rate"] = rng.binomial(400, 0.25) / 400
        n_claims += any(c.verdict in ("higher", "lower") for c in since(*pair).changes)
    assert 4 <= n_claims <= 36
