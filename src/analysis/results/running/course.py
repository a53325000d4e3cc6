"""Each metric against control at the end of every day (hour) so far, with what may be claimed at that look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from analysis.facts.population import Facts
from analysis.facts.running_facts import Course, courses, is_running
from analysis.facts.ticks import Tick, ticks
from analysis.results.contrast import Contrast, of_clusters, of_users
from analysis.results.running.looking import ENOUGH, method, planned_clock, users_that_count, worth
from analysis.results.uplift import CORRECTIONS, families, guarded, judged
from analysis.stats.always_valid import Look
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.multiplicity import compatible_alphas, holm


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Comparison):
    """One metric in one arm against control on all data up to the end of one tick.

    `pvalue_adjusted < ALPHA` exactly when each interval at 1 - alpha leaves out 0; `pvalue` and the fixed interval hold
    for a single look only, and are shown to be told apart. Where there is a reason, nothing is claimed.
    """

    tick: int
    metric: str
    unit: str
    role: str                # primary, secondary, guardrail
    better: str              # higher, lower
    arm: str
    control: str
    method: str              # "welch", "delta", "score", "adjusted", "strata", "clusters"
    clock: float             # days that users of both arms were followed; users, where each has a window of the own
    fixed_lower: float       # bounds of the relative effect at ALPHA, as if this were the only look
    fixed_upper: float
    pvalue_adjusted: float   # for looking every day and then for the family; of guardrails for looking alone
    margin: float            # guardrail: relative loss that can be borne, else nan
    pvalue_margin: float     # guardrail: one-sided, H0: the loss is the margin or more; for looking every day; else nan
    verdict: str             # better, worse, cannot_tell; guardrails: safe, broken, cannot_tell


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A metric that cannot be watched while the campaign runs."""

    metric: str
    role: str
    reason: str              # "counted_after"


def course(facts: Facts) -> list[Point]:
    """By tick, then in the order primary, secondary, guardrail; empty before the first tick is over."""
    return [point for tick in ticks(facts) for role, names in families(facts)
            for point in _family(facts, tick, role, names)]


def seen_at(facts: Facts, tick: Tick, name: str) -> Contrast:
    """One metric in all arms on the data up to the end of a tick."""
    made = _courses(facts)[name]
    if facts.campaign.arms.cluster:
        return of_clusters(facts, name, made.clusters[tick.number - 1])
    return of_users(facts, name, made.strata[tick.number - 1])


def _courses(facts: Facts) -> dict[str, Course]:
    """Every metric that grows with the campaign, made once."""
    if "courses" not in facts.kept:
        names = [name for name, metric in facts.campaign.metrics.items()
                 if metric.role != "described" and is_running(facts, name)]
        facts.kept["courses"] = courses(facts, names)
    return facts.kept["courses"]


def at_tick(points: Sequence[Point], tick: int) -> list[Point]:
    """Those of one look."""
    return [point for point in points if point.tick == tick]


def left_out(facts: Facts) -> list[LeftOut]:
    """Metrics that are counted in the time after."""
    return [LeftOut(name, metric.role, "counted_after") for name, metric in facts.campaign.metrics.items()
            if metric.role != "described" and not is_running(facts, name)]


@dataclass(frozen=True)
class _Seen:
    """One metric in one arm at one tick, at the level of a single look; and what that is worth."""

    name: str
    arm: str
    own: Contrast | None             # None where the metric is not counted while the campaign runs
    plain: Comparison
    clock: float
    reason: str                      # why nothing may be claimed
    worth: Callable[..., Look]       # (fixed p, alpha) -> Look


def _family(facts: Facts, tick: Tick, role: str, names: Sequence[str]) -> Iterator[Point]:
    """The metrics of one family in every arm, as in `uplift`: each p for looking early, then all for the family."""
    arms = facts.campaign.arms
    seen = [_seen(facts, tick, name, arm) for name in names for arm in arms.shares if arm != arms.control]
    looked = [one.worth(one.plain.pvalue).pvalue for one in seen]
    if role == "guardrail":
        adjusted, alphas = looked, [ALPHA] * len(seen)
    else:
        adjusted = (CORRECTIONS[facts.campaign.effects.correction] if role == "secondary" else holm)(looked)
        alphas = compatible_alphas(looked, adjusted, ALPHA)
    for one, pvalue, alpha in zip(seen, adjusted, alphas, strict=True):
        if one.own is not None:
            yield _point(facts, tick, role, one, pvalue, alpha)


def _seen(facts: Facts, tick: Tick, name: str, arm: str) -> _Seen:
    place, control, made = tick.number - 1, facts.campaign.arms.control, _courses(facts).get(name)
    if made is None:
        nothing = Comparison.missing("mean", "counted_after")
        return _Seen(name, arm, None, nothing, 0.0, nothing.reason, _nothing(nothing.reason))
    own = seen_at(facts, tick, name)
    clock = sum(made.clock[place].get(one, 0.0) for one in (arm, control))
    plain = own.compare(arm, control)
    planned = planned_clock(facts, name, arm)

    def worth_of(pvalue: float, alpha: float = ALPHA) -> Look:
        return worth(facts, name, tick, pvalue, clock, planned, alpha)

    is_early = method(facts) == "always_valid" and any(
        users_that_count(made, place, one) < ENOUGH for one in (arm, control))
    reason = "too_early" if is_early else worth_of(math.nan).reason
    reason = "" if reason == "no_pvalue" else reason
    return _Seen(name, arm, own, plain, clock, reason, _nothing(reason) if reason else worth_of)


def _nothing(reason: str) -> Callable[..., Look]:
    return lambda pvalue, alpha=ALPHA: Look(math.nan, math.nan, reason)


def _point(facts: Facts, tick: Tick, role: str, one: _Seen, pvalue: float, alpha: float) -> Point:
    metric, control = facts.campaign.metrics[one.name], facts.campaign.arms.control
    nominal = one.worth(one.plain.pvalue, alpha).alpha_nominal
    reason = one.reason or ("too_early" if math.isnan(nominal) else "")
    found = _unclaimed(one.plain, reason) if reason else one.own.compare(one.arm, control, nominal)
    margin = math.nan if metric.margin is None else metric.margin
    p_margin = math.nan
    if role == "guardrail" and not found.reason:
        p_margin = _one_sided(one.own.margin_pvalue(one.arm, control, margin, metric.better, nominal), one.worth)
    return Point(
        **{**asdict(found), "pvalue": one.plain.pvalue}, tick=tick.number, metric=one.name,
        unit="share" if metric.kind == "any" else metric.unit, role=role, better=metric.better, arm=one.arm,
        control=control, method=one.own.method, clock=one.clock, fixed_lower=one.plain.rel_diff_lower,
        fixed_upper=one.plain.rel_diff_upper, pvalue_adjusted=math.nan if reason else pvalue, margin=margin,
        pvalue_margin=p_margin, verdict=(guarded(found, margin, metric.better) if role == "guardrail"
                                         else judged(found, math.nan if reason else pvalue, metric.better)))


def _unclaimed(plain: Comparison, reason: str) -> Comparison:
    """The levels without what may not be claimed of them."""
    return replace(plain, diff_lower=math.nan, diff_upper=math.nan, rel_diff_lower=math.nan, rel_diff_upper=math.nan,
                   alpha=math.nan, detectable=math.nan, reason=reason, rel_reason=reason)


def _one_sided(pvalue: float, worth_of: Callable[..., Look]) -> float:
    """Half of what twice as much is worth."""
    if math.isnan(pvalue):
        return pvalue
    half = worth_of(2 * min(pvalue, 1 - pvalue)).pvalue / 2
    return half if pvalue <= 0.5 else 1 - half
