"""Can the wished effects be seen by the campaign as it is planned, and if not, what would do?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.facts.past import Past
from analysis.results.planning.holdouts import HeldOut
from analysis.results.planning.needs import Need
from analysis.results.planning.reach import Reach
from analysis.results.trust import Check


@dataclass(frozen=True, slots=True)
class PlanVerdict:
    """The one answer on the first screen."""

    answer: str                # "feasible", "not_feasible", "cannot_tell", "do_not_trust"
    reasons: tuple[str, ...]   # codes, most important first
    metric: str                # the primary metric


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change that by itself would let an effect be seen that cannot be seen now."""

    metric: str
    arm: str
    kind: str              # "more_days", "holdout", "larger_effect", "time_before", "more_users"
    value: float           # days, share held out, effect (share of the control), chance then, users


def plan_verdict(
    past: Past, checked: Sequence[Check], needed: Sequence[Need], shares: Sequence[HeldOut]
) -> PlanVerdict:
    """The trust gate first; then the primary metric in every arm and each guardrail has to be seen."""
    metric = next(iter(past.campaign.metric("primary")), "")
    failed = tuple(dict.fromkeys(check.name for check in checked if check.state == "fail"))
    if failed:
        return PlanVerdict("do_not_trust", failed, metric)
    if not needed:
        return PlanVerdict("cannot_tell", ("past_too_short",), metric)
    primary = [row for row in needed if row.role == "primary"]
    if any(row.verdict == "not_asked" for row in primary):
        return PlanVerdict("cannot_tell", ("nothing_wished",), metric)
    if past.campaign.arms is None:
        will_do = any(row.is_enough for row in shares)
        return PlanVerdict("not_feasible", ("nobody_held_out" if will_do else "no_holdout_will_do",), metric)
    judged = [row for row in needed if row.role in ("primary", "guardrail")]
    reasons = tuple(dict.fromkeys(
        f"{row.role}_{row.verdict}" for row in judged if row.verdict in ("not_seen", "unknown")))
    if not reasons:
        return PlanVerdict("feasible", (), metric)
    is_open = all(reason.endswith("unknown") for reason in reasons)
    return PlanVerdict("cannot_tell" if is_open else "not_feasible", reasons, metric)


def remedies(
    past: Past, needed: Sequence[Need], reaches: Sequence[Reach], shares: Sequence[HeldOut]
) -> list[Remedy]:
    """What would do for each primary metric or guardrail that cannot be seen; those with a wish alone."""
    return [remedy for row in needed if row.role in ("primary", "guardrail") and _is_open(past, row)
            for remedy in _remedies(past, row, reaches, shares)]


def _is_open(past: Past, row: Need) -> bool:
    return row.verdict == "not_seen" or (past.campaign.arms is None and row.role == "primary" and row.verdict == "seen")


def _remedies(
    past: Past, row: Need, reaches: Sequence[Reach], shares: Sequence[HeldOut]
) -> Iterator[Remedy]:
    if past.campaign.arms is None and row.verdict == "seen":
        yield from (Remedy(row.metric, row.arm, "holdout", own.share) for own in shares if own.is_enough)
        return
    if row.days_needed > row.days:
        yield Remedy(row.metric, row.arm, "more_days", row.days_needed)
    if row.role == "primary":
        yield from (Remedy(row.metric, row.arm, "holdout", own.share) for own in shares if own.is_enough)
    if not math.isnan(row.smallest):
        yield Remedy(row.metric, row.arm, "larger_effect", row.smallest)
    if row.power_before >= row.power_wished:
        yield Remedy(row.metric, row.arm, "time_before", row.power_before)
    if row.n_needed > row.n:
        yield Remedy(row.metric, row.arm, "more_users", row.n_needed / row.n * row.n_users)
