"""One answer: the gate first, then the primary metric, then the guardrails."""

import math
from types import SimpleNamespace

import pytest

from analysis.results.trust import Check
from analysis.results.uplift import Uplift
from analysis.results.verdict import verdict


def effect(role, verdict, reason="", arm="go"):
    return Uplift(kind="mean", metric="money", unit="", role=role, family="", method="welch", reduction=math.nan,
                  better="higher", arm=arm, control="stay", pvalue_adjusted=math.nan, total=math.nan,
                  total_lower=math.nan, total_upper=math.nan, margin=math.nan, pvalue_margin=math.nan,
                  verdict=verdict, reason=reason)


def answer(effects, failed=(), has_arms=True):
    campaign = SimpleNamespace(arms=has_arms or None, metric=lambda role: ["money"] if role == "primary" else [])
    checked = [Check(name, "fail", 1, 0, math.nan, 1) for name in failed]
    checked.append(Check("two_arms", "warn", 1, 0, math.nan, 1))
    found = verdict(SimpleNamespace(campaign=campaign), checked, effects)
    assert found.metric == "money"
    return found.answer, found.reasons


BETTER, WORSE, OPEN = (effect("primary", said) for said in ("better", "worse", "cannot_tell"))
SAFE, BROKEN, UNSHOWN = (effect("guardrail", said) for said in ("safe", "broken", "cannot_tell"))


@pytest.mark.parametrize(("effects", "expected"), [
    ([BETTER], ("works", ("primary_better",))),
    ([BETTER, SAFE, SAFE], ("works", ("primary_better",))),
    ([BETTER, effect("primary", "cannot_tell", arm="run"), SAFE], ("works", ("primary_better", "arms_differ"))),
    ([BETTER, SAFE, UNSHOWN], ("cannot_tell", ("guardrail_not_shown",))),
    ([BETTER, UNSHOWN, BROKEN], ("does_not", ("guardrail_broken",))),
    ([OPEN, BROKEN], ("does_not", ("guardrail_broken",))),
    ([WORSE, SAFE], ("does_not", ("primary_worse",))),
    ([OPEN, SAFE], ("cannot_tell", ("interval_holds_zero",))),
    ([WORSE, OPEN], ("cannot_tell", ("interval_holds_zero",))),
    ([effect("primary", "cannot_tell", "zero_variance"), BROKEN], ("cannot_tell", ("zero_variance",))),
    ([BETTER, effect("secondary", "worse")], ("works", ("primary_better",))),
    ([], ("cannot_tell", ("period_not_over",)))])
def test_the_answer_and_its_reasons(effects, expected):
    assert answer(effects) == expected


def test_a_failed_check_voids_everything_and_is_named_once():
    failed = ("split", "split", "missing_days")
    assert answer([BETTER, SAFE], failed) == ("do_not_trust", ("split", "missing_days"))
    assert answer([], failed=("split",), has_arms=False)[0] == "do_not_trust"


def test_without_arms_nothing_is_claimed():
    assert answer([], has_arms=False) == ("cannot_tell", ("no_control_group",))
