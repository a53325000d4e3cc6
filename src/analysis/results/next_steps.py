"""What to do next, as far as the numbers say so: nothing here is advice that they do not hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.facts.population import Facts
from analysis.results.funnel import Step
from analysis.results.trust import Check
from analysis.results.uplift import Uplift


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do, and the number that asks for it."""

    reason: str            # "check_failed", "guardrail_broken", "guardrail_open", "too_few_users", "moved_forward",
    #                        "no_control_group", "check_warns", "largest_loss"
    subject: str           # the check, the metric, or the funnel's step before which most were lost
    size: float = math.nan       # difference that is to be seen, in the metric's unit per user
    unit: str = ""
    n_users: float = math.nan    # that it would take in the same shares, to two digits; of a step: lost before it
    n_even: float = math.nan     # the same with the arm and its control of one size
    n_had: float = math.nan      # users of the two in this campaign


def next_steps(
    facts: Facts, checks: Sequence[Check], effects: Sequence[Uplift], steps: Sequence[Step],
) -> list[NextStep]:
    """Most urgent first. Where a check failed, the data have to be mended before anything else is worth doing."""
    failed = _checks(checks, "fail", "check_failed")
    if failed:
        return failed
    found = [NextStep("no_control_group", "")] if facts.campaign.arms is None else list(_effects(facts, effects))
    return [*found, *_checks(checks, "warn", "check_warns"), *_loss(facts, steps)]


def _checks(checks: Sequence[Check], state: str, reason: str) -> list[NextStep]:
    return [NextStep(reason, name) for name in dict.fromkeys(check.name for check in checks if check.state == state)]


def _effects(facts: Facts, effects: Sequence[Uplift]) -> Iterator[NextStep]:
    known = [row for row in effects if not row.reason]
    for row in known:
        if row.role == "guardrail" and row.verdict != "safe":
            yield NextStep("guardrail_broken" if row.verdict == "broken" else "guardrail_open", row.metric)
    for row in known:
        if row.role == "primary" and row.verdict == "cannot_tell":
            yield _seen(row, "too_few_users", _hoped(facts, row))
    gains = [row for row in known if row.role == "primary" and row.verdict == "better"]
    for row in net(facts, known):
        gain = next((own.diff for own in gains if (own.arm, own.unit) == (row.arm, row.unit)), math.nan)
        if row.verdict == "cannot_tell" and not math.isnan(gain):
            yield _seen(row, "moved_forward", abs(gain))


def net(facts: Facts, effects: Sequence[Uplift]) -> list[Uplift]:
    """Effects over the campaign and the time after together, where what was only moved forward cancels out."""
    return [row for row in effects if facts.campaign.metrics[row.metric].over == "both"]


def _hoped(facts: Facts, row: Uplift) -> float:
    """The difference that the plan hopes for; else half of the smallest one that was likely to be seen."""
    wished = facts.campaign.plan.wished(row.metric, row.role)
    return abs(wished * row.value_control) if wished else row.detectable / 2


def _seen(row: Uplift, reason: str, size: float) -> NextStep:
    """The smallest visible difference shrinks with the root of the users, in the same shares."""
    n = (row.n_treatment + row.n_control) * (row.detectable / size) ** 2 if size else math.nan
    uneven = (row.n_treatment + row.n_control) ** 2 / (4 * row.n_treatment * row.n_control)
    return NextStep(reason, row.metric, size, row.unit, _rounded(n), _rounded(n / uneven),
                    row.n_treatment + row.n_control)


def _rounded(n: float) -> float:
    return n if math.isnan(n) else float(f"{n:.2g}")


def _loss(facts: Facts, steps: Sequence[Step]) -> Iterator[NextStep]:
    """The step of the first funnel before which most were lost."""
    first = next(iter(facts.campaign.funnels), "")
    own = [step for step in steps if step.funnel == first and not step.by and not step.reason and step.n_lost]
    if own:
        worst = max(own, key=lambda step: step.n_lost)
        yield NextStep("largest_loss", worst.step, n_users=worst.n_lost)
