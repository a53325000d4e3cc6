"""A file that compares experiments is read as strictly as a campaign's, and told apart by one key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.params import Campaign, CampaignError, Experiments, load
from tests.params.campaign_file import FULL as CAMPAIGN
from tests.params.campaign_file import campaign, mistakes, written
from tests.params.experiments_file import FULL


def test_a_full_file_is_read(tmp_path):
    e = campaign(tmp_path, text=FULL)
    assert isinstance(e, Experiments)
    assert e.name == "spring" and e.path == tmp_path / "spring.yml"
    assert e.text(e.title, "zh") == "春季实验" and e.text(e.question, "zh") == "Which of them helped?"
    assert e.experiments.columns == {"experiment": "test_name", "n": "users"}
    assert (e.control, e.shares) == ("old", {"old": 0.5, "new": 0.25, "newer": 0.25})
    assert {name: (e.key(name), e.unit(name)) for name in e.metrics} == {
        "buyers": ("conversion", "share"), "amount": ("amount", "CNY"), "refunds": ("refund", "refunds")}
    assert e.ordered_metrics == ["buyers", "amount", "refunds"]
    assert (e.correction, e.tightest_at, e.metrics["refunds"].better) == ("bh", 0.6, "lower")


def test_what_is_not_said_has_one_default(tmp_path):
    e = campaign(tmp_path, ("correction: bh\ntightest_at: 60%\n", ""), text=FULL)
    assert (e.correction, e.tightest_at, e.metrics["amount"].kind) == ("holm", 1.0, "mean")


def test_the_key_tells_the_kinds_apart(tmp_path):
    assert isinstance(campaign(tmp_path, text=CAMPAIGN), Campaign)
    found = mistakes(tmp_path, text="title: x\nexperiments: {path: a.csv}\nperiod: {start: 2025-01-01}\n")
    assert (3, "period", "unknown key") in [(line, where, m[:11]) for line, where, m in found]
    assert "sources" not in [where for _, where, _ in found]


def test_every_mistake_is_said_at_once_in_the_order_of_the_file(tmp_path):
    found = mistakes(
        tmp_path, ("currency: CNY", "curency: CNY"), ("path: looks.csv", "paht: looks.csv"),
        ("control: old", "control: odl"), ("newer: 25%", "newer: 0%"), ("kind: share", "kind: shar"),
        ("better: lower", "better: less"), ("tightest_at: 60%", "tightest_at: 0%"), text=FULL)
    assert [(line, where) for line, where, _ in found] == [
        (5, "curency"), (6, "experiments.path"), (7, "experiments.paht"), (10, "control"), (11, "shares.newer"),
        (13, "metrics.buyers.kind"), (15, "metrics.refunds.better"), (17, "tightest_at")]
    told = [message for _, _, message in found]
    assert "did you mean 'currency'?" in told[0] and "did you mean 'path'?" in told[2]
    assert told[3] == "'odl' is not among the shares (did you mean 'old'?)"
    assert told[4] == "is 0%: an arm that nobody is meant to be in"
    assert told[5].endswith("(did you mean 'share'?)") and told[6] == "'less' is not one of higher, lower"
    assert told[7] == "is 0%: before the first look there is nothing to see"


@pytest.mark.parametrize(("old", "new", "message"), [
    ("role: primary", "role: secondary", "exactly one metric is primary; found none"),
    ("{unit: CNY}", "{unit: CNY, role: primary}", "exactly one metric is primary; found buyers, amount"),
    ("role: primary", "role: guardrail", "'guardrail' is not one of primary, secondary"),
    ("kind: share,", "kind: share, unit: x,", "a share has no unit: leave `unit:` out"),
    ("key: refund,", "key: amount,", "'amount' is what 'amount' looks at already"),
    ("correction: bh", "correction: bonferroni", "'bonferroni' is not one of holm, bh"),
    ("currency: CNY", "currency: yuan", "'yuan' is not an ISO code of three capitals, like CNY"),
    ("shares: {old: 50%, new: 25%, newer: 25%}", "shares: {old: 50%}", "expected 2 or more, found 1 keys and values"),
    ("old: 50%", "old: much", "'much' is not a share like 10% or 0.1"),
])
def test_a_wrong_value_is_said_with_what_would_do(tmp_path, old, new, message):
    assert message in "\n".join(said for _, _, said in mistakes(tmp_path, (old, new), text=FULL))


@pytest.mark.parametrize("key", ["title", "question", "owner", "control", "shares", "metrics"])
def test_what_must_be_said_is_missed_with_its_meaning(tmp_path, key):
    lines = [line for line in FULL.splitlines() if not line.startswith(f"{key}:")]
    if key == "metrics":
        lines = [line for line in lines if "role:" not in line and "unit:" not in line]
    missing = [message for _, where, message in mistakes(tmp_path, text="\n".join(lines)) if where == key]
    assert len(missing) == 1 and missing[0].startswith("missing: ") and len(missing[0]) > 20


def test_an_override_takes_the_place_of_what_the_file_says(tmp_path):
    e = campaign(tmp_path, text=FULL, **{"correction": "holm", "metrics.amount.better": "lower", "languages": "[zh]"})
    assert (e.correction, e.metrics["amount"].better, e.language) == ("holm", "lower", "zh")
    with pytest.raises(CampaignError, match=r"spring.yml: --set correction: 'none' is not one of"):
        campaign(tmp_path, text=FULL, correction="none")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(FULL)), st.integers(0, 30), st.text(max_size=6) | st.sampled_from(
    ["\t", "*a", "&a ", "- ", "{", "]", "\x85", "|\n", ": "]))
def test_no_slip_of_the_keyboard_ends_in_a_traceback(tmp_path_factory, at, length, typed):
    path = tmp_path_factory.getbasetemp() / "typed.yml"
    path.write_bytes((FULL[:at] + typed + FULL[at + length:]).encode("utf-8", "surrogatepass"))
    try:
        load(path)
    except CampaignError as error:
        assert error.problems


def test_a_message_names_file_line_key_what_was_found_and_what_would_do(tmp_path):
    path = written(tmp_path, ("languages: [en, zh]", "languages: [fr]"), text=FULL)
    with pytest.raises(CampaignError) as error:
        load(path)
    assert str(error.value) == f"{path}:4: languages.1: 'fr' is not one of en, zh"
