"""The one answer on the first screen."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.facts.population import Facts
from analysis.results.trust import Check
from analysis.results.uplift import Uplift


@dataclass(frozen=True, slots=True)
class Verdict:
    """Did it work?"""

    answer: str            # "works", "does_not", "cannot_tell", "do_not_trust"
    reasons: tuple[str, ...]   # codes, most important first
    metric: str            # the primary metric, "" when there is none


def verdict(facts: Facts, checked: list[Check], found: list[Uplift]) -> Verdict:
    """The trust gate first, then the primary metric, then the guardrails; no arms, no claim.

    It works when the primary metric is better and every guardrail is shown to hold (Schultzberg et al. 2024).
    """
    metric = next(iter(facts.campaign.metric("primary")), "")
    primary = [uplift for uplift in found if uplift.role == "primary"]
    failed = tuple(dict.fromkeys(check.name for check in checked if check.state == "fail"))
    if failed:
        return Verdict("do_not_trust", failed, metric)
    if facts.campaign.arms is None:
        return Verdict("cannot_tell", ("no_control_group",), metric)
    if not primary or all(uplift.reason for uplift in primary):
        return Verdict("cannot_tell", (primary[0].reason if primary else "period_not_over",), metric)
    guardrails = [uplift for uplift in found if uplift.role == "guardrail"]
    if any(uplift.verdict == "broken" for uplift in guardrails):
        return Verdict("does_not", ("guardrail_broken",), metric)
    verdicts = {uplift.verdict for uplift in primary}
    if verdicts == {"worse"}:
        return Verdict("does_not", ("primary_worse",), metric)
    if "better" not in verdicts:
        return Verdict("cannot_tell", ("interval_holds_zero",), metric)
    if any(uplift.verdict != "safe" for uplift in guardrails):
        return Verdict("cannot_tell", ("guardrail_not_shown",), metric)
    return Verdict("works", ("primary_better", *(("arms_differ",) if len(verdicts) > 1 else ())), metric)
