"""Stop, go on, or something is broken: the one answer of a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.facts.population import Facts
from analysis.facts.running_facts import is_running
from analysis.facts.ticks import is_hourly, planned_ticks, ticks
from analysis.results import trust
from analysis.results.running.arrival import Arrival, arrivals
from analysis.results.running.breaks import Break, breaks, n_series
from analysis.results.running.course import Point
from analysis.results.running.looking import is_look
from analysis.results.running.split import split_check
from analysis.results.trust import Check

FALSE_ALARMS = 0.005   # of quiet days (hours) on which any series of the campaign is called a break
WHOLE = ("coverage", "split")   # checks of a campaign that is over; a running one has its own, or none


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with the campaign now."""

    answer: str                # "broken", "stop", "go_on"; "over": the period ended without a decision on the way
    reasons: tuple[str, ...]   # codes, most important first
    metric: str                # the primary metric
    every: str                 # "day" or "hour": how often the campaign is looked at
    n_seen: int                # whole days (hours) of the campaign so far
    n_planned: int
    claim_tick: int            # the last one at which something may be claimed; 0: none yet
    first_tick: int            # the first at which the primary metric was decided, whatever came later; 0: none yet


@dataclass(frozen=True)
class Watch:
    """What was looked at beside the effects."""

    checks: list[Check]
    arrivals: list[Arrival]
    breaks: list[Break]


def watch(facts: Facts) -> Watch:
    """Trust checks that a running campaign allows, rows and breaks; alarms shared out over all series."""
    checks = [split_check(facts), *(check for check in trust.checks(_unshuffled(facts)) if check.name not in WHOLE)]
    n_tables = sum(facts.tables.get(name) is not None for name in ("events", "orders"))
    alpha = FALSE_ALARMS / (n_series(facts) + n_tables)
    order = {"fail": 0, "warn": 1, "ok": 2}
    return Watch(sorted(checks, key=lambda check: order[check.state]), arrivals(facts, alpha), breaks(facts, alpha))


def _unshuffled(facts: Facts) -> Facts:
    """Whether methods cry wolf is asked once, of the whole campaign."""
    effects = facts.campaign.effects.model_copy(update={"relabel": 0})
    return replace(facts, campaign=facts.campaign.model_copy(update={"effects": effects}))


def decide(facts: Facts, seen: Watch, points: Sequence[Point]) -> Decision:
    """Broken comes first, then the primary metric at the last look at which something may be claimed.

    It can stop when the primary metric is decided in every arm: worse, or better with every guardrail that can be
    watched shown to hold, as in `verdict`. A day between planned looks decides nothing.
    """
    campaign, seen_ticks = facts.campaign, ticks(facts)
    claims = [tick.number for tick in seen_ticks if is_look(facts, tick)]
    claim = claims[-1] if claims else 0
    planned = planned_ticks(campaign)
    now = [point for point in points if point.tick == claim]
    wrong = tuple(_broken(seen, len(seen_ticks), now))
    answer, reasons = ("broken", wrong) if wrong else _effect(now)
    if not wrong and not seen_ticks:
        answer, reasons = "go_on", ("not_begun",)
    elif not wrong and not all(is_running(facts, name) for name in campaign.metric("primary")):
        answer, reasons = "go_on", ("counted_after",)
    if answer == "go_on" and len(seen_ticks) == len(planned):
        answer, reasons = "over", ("period_over", *reasons)
    return Decision(answer, reasons, next(iter(campaign.metric("primary")), ""),
                    "hour" if is_hourly(campaign) else "day", len(seen_ticks), len(planned), claim,
                    next((tick for tick in claims if _is_decided([p for p in points if p.tick == tick])), 0))


def is_on(one: Break, n_seen: int) -> bool:
    """Whether a break is there at the last tick."""
    return one.is_break and one.tick == n_seen


def _broken(seen: Watch, last: int, points: Sequence[Point]) -> Iterator[str]:
    yield from dict.fromkeys(check.name for check in seen.checks if check.state == "fail")
    states = {one.state for one in seen.arrivals if one.tick == last}
    if "none" in states:
        yield "no_rows"
    if "few" in states:
        yield "few_rows"
    if any(is_on(one, last) and not ("none" in states and one.value == 0) for one in seen.breaks):
        yield "break_on"   # a metric of which no row came says nothing beyond that
    if any(point.role == "guardrail" and point.verdict == "broken" for point in points):
        yield "guardrail_broken"


def _is_decided(points: Sequence[Point]) -> bool:
    primary = [point for point in points if point.role == "primary"]
    return bool(primary) and all(point.verdict != "cannot_tell" for point in primary)


def _effect(points: Sequence[Point]) -> tuple[str, tuple[str, ...]]:
    primary = [point for point in points if point.role == "primary"]
    if not primary:
        return "go_on", ("between_looks",)
    verdicts = {point.verdict for point in primary}
    if not _is_decided(points):
        reasons = {point.reason for point in primary if point.verdict == "cannot_tell"}
        return "go_on", (reasons.pop() or "undecided",) if len(reasons) == 1 else ("undecided",)
    if verdicts == {"worse"}:
        return "stop", ("primary_worse",)
    if any(point.role == "guardrail" and point.verdict != "safe" for point in points):
        return "go_on", ("guardrail_not_shown",)
    return "stop", ("primary_better", *(("arms_differ",) if len(verdicts) > 1 else ()))
