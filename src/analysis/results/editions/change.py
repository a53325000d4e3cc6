"""Two editions side by side: what changed, what may be chance, and what is no longer the same number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from analysis.results.editions.numbers import Kind, Number, numbers
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.multiplicity import compatible_alphas, holm
from analysis.stats.pairs import compare_pair, independent
from analysis.stats.proportions import compare_proportions

ASPECTS = ("kind", "counted", "steps", "items", "unit", "window", "options", "population", "time_zone", "control",
           "method")
READS = "1"   # first number of the schema versions of results.json that say the same as today's


@dataclass(frozen=True, slots=True)
class Which:
    """One of the two reports."""

    name: str
    title: str
    edition: str           # "" without a series
    start: str
    end: str
    answer: str            # of the verdict


@dataclass(frozen=True, slots=True)
class Change:
    """One number in both editions, defined alike. Two samples at two times: no effect of the campaign."""

    kind: Kind
    name: str              # metric or funnel; "" for the cost
    group: str             # group or arm; step of the funnel
    unit: str
    is_per_day: bool       # editions of different length: both per day
    before: float
    before_lower: float
    before_upper: float
    now: float
    now_lower: float
    now_upper: float
    diff: float            # now - before
    diff_lower: float      # at the level that leaves out 0 exactly when the adjusted p is below 0.05
    diff_upper: float
    pvalue: float          # as of two independent samples; nan for the cost, which is counted and no sample
    pvalue_adjusted: float # Holm, over all numbers that are compared
    verdict: Literal["higher", "lower", "cannot_tell", "counted"]
    reason: str = ""       # why there is no p: "zero_variance", "no_conversions", ...


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A number that is not compared, and why."""

    kind: Literal["level", "effect", "funnel", "cost", "goal"]
    name: str
    group: str
    reason: str            # aspect of its definition, "length", "only_before", "only_now", "not_covered", "no_number"
    before: str            # what was said of the aspect
    now: str


@dataclass(frozen=True, slots=True)
class Turned:
    """A goal or a check in both editions, where its state differs (a goal: also where it does not)."""

    name: str
    subject: str           # arm of a goal; what a check is about
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Since:
    """What changed since another edition."""

    before: Which
    now: Which
    goals: list[Turned]
    checks: list[Turned]
    changes: list[Change]
    left_out: list[LeftOut]
    reason: str = ""       # why nothing is compared: "other_schema", "no_definitions", "not_trusted"


def since(before: Mapping[str, Any], now: Mapping[str, Any]) -> Since:
    """What changed from one `results.json` to another."""
    reason = defect(before) or defect(now)
    if reason:
        return Since(_which(before), _which(now), [], list(_checks(before, now)), [], [], reason)
    changes, left_out = compared(numbers(before), numbers(now))
    goals, other_goals = _goals(before, now)
    return Since(_which(before), _which(now), goals, list(_checks(before, now)), changes, other_goals + left_out)


def defect(record: Mapping[str, Any]) -> str:
    """Why a record's numbers mean something else, cannot be believed, or are not known to mean the same."""
    if str(record.get("schema_version", "")).split(".")[0] != READS:
        return "other_schema"
    if "definitions" not in record:
        return "no_definitions"
    return "not_trusted" if record["verdict"]["answer"] == "do_not_trust" else ""


def compared(
    before: Mapping[tuple, Number], now: Mapping[tuple, Number]
) -> tuple[list[Change], list[LeftOut]]:
    """Every number of either, in the order of the newer one."""
    changes, left_out = [], []
    for key in dict.fromkeys([*now, *before]):
        if not (key in before and key in now):
            left_out.append(LeftOut(*key, "only_now" if key in now else "only_before", "", ""))
        elif reason := unlike(before[key], now[key]):
            left_out.append(LeftOut(*key, *reason))
        else:
            changes.append(_change(before[key], now[key]))
    return _together(changes, before, now), left_out


def unlike(before: Number, now: Number) -> tuple[str, str, str] | None:
    """Why two numbers cannot be compared, with what each says of it; None when they can."""
    for aspect in ASPECTS:
        texts = before.definition.get(aspect, ""), now.definition.get(aspect, "")
        if texts[0] != texts[1]:
            return aspect, *texts
    if before.reason or now.reason:
        return before.reason or now.reason, "", ""
    if is_longer(before, now) and not now.is_additive:
        return "length", f"{before.days:g}", f"{now.days:g}"
    return None


def is_longer(before: Number, now: Number) -> bool:
    """Whether the two add up over periods of different length."""
    return before.days != now.days and not math.isnan(before.days + now.days)


def _change(before: Number, now: Number) -> Change:
    per_day = is_longer(before, now)
    scales = [1 / number.days if per_day else 1.0 for number in (before, now)]
    bounds = [[x * scale for x in (number.value, number.lower, number.upper)]
              for number, scale in zip((before, now), scales, strict=True)]
    found = _tested(before, now, scales, ALPHA)
    return Change(now.kind, now.name, now.group, now.unit, per_day, *bounds[0], *bounds[1], found.diff,
                  found.diff_lower, found.diff_upper, found.pvalue, math.nan,
                  "counted" if now.kind == "cost" else "cannot_tell", found.reason)


def _tested(before: Number, now: Number, scales: Sequence[float], alpha: float) -> Comparison:
    """The newer one against the older."""
    if now.kind == "cost":
        return Comparison(kind="mean", diff=now.value - before.value)
    if now.is_share:
        return compare_proportions(round(now.value * now.n), now.n, round(before.value * before.n), before.n, alpha)
    return compare_pair("mean", independent(now.level(scales[1]), before.level(scales[0])), alpha)


def _together(changes: list[Change], before: Mapping[tuple, Number], now: Mapping[tuple, Number]) -> list[Change]:
    """Claims with one error rate for all: so many numbers differ somewhere by chance."""
    tested = [i for i, change in enumerate(changes) if not math.isnan(change.pvalue)]
    adjusted = holm([changes[i].pvalue for i in tested])
    alphas = compatible_alphas([changes[i].pvalue for i in tested], adjusted)
    for i, pvalue, alpha in zip(tested, adjusted, alphas, strict=True):
        change = changes[i]
        pair = before[change.kind, change.name, change.group], now[change.kind, change.name, change.group]
        found = _tested(*pair, [1 / n.days if change.is_per_day else 1.0 for n in pair], alpha)
        verdict = "cannot_tell" if pvalue >= ALPHA else "higher" if change.diff > 0 else "lower"
        changes[i] = replace(change, diff_lower=found.diff_lower, diff_upper=found.diff_upper,
                             pvalue_adjusted=pvalue, verdict=verdict)
    return changes


def _goals(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[list[Turned], list[LeftOut]]:
    """Verdicts of goals that asked for the same of the same number."""
    was = {(g["metric"], g["measure"], g["against"], g["arm"]): g for g in before["goals"]}
    turned, left_out = [], []
    for goal in now["goals"]:
        other = was.get((goal["metric"], goal["measure"], goal["against"], goal["arm"]))
        if other is None:
            left_out.append(LeftOut("goal", goal["metric"], goal["arm"], "only_now", "", ""))
        elif reason := _unlike_goals(before, now, other, goal):
            left_out.append(LeftOut("goal", goal["metric"], goal["arm"], *reason))
        else:
            turned.append(Turned(goal["metric"], goal["arm"], other["verdict"], goal["verdict"]))
    return turned, left_out


def _unlike_goals(
    before: Mapping[str, Any], now: Mapping[str, Any], other: Mapping[str, Any], goal: Mapping[str, Any]
) -> tuple[str, str, str] | None:
    name = goal["metric"]
    said = [record["definitions"]["metrics"][name] | {"population": record["definitions"]["population"]}
            for record in (before, now)]
    differing = next((a for a in ASPECTS if said[0].get(a, "") != said[1].get(a, "")), None)
    if differing:
        return differing, said[0].get(differing, ""), said[1].get(differing, "")
    asked = [goal["target_change"] if goal["against"] else goal["target"] for goal in (other, goal)]
    return None if asked[0] == asked[1] else ("target", *(f"{target:g}" for target in asked))


def _checks(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Turned]:
    """Checks whose state turned, or that only one of the two has and that is not fine there."""
    was, are = ({(c["name"], c["subject"]): c["state"] for c in record["checks"]} for record in (before, now))
    for key in dict.fromkeys([*are, *was]):
        states = was.get(key, ""), are.get(key, "")
        if states[0] != states[1] and not set(states) <= {"", "ok"}:
            yield Turned(*key, *states)


def _which(record: Mapping[str, Any]) -> Which:
    campaign, series = record["campaign"], record.get("series") or {}
    return Which(campaign["name"], campaign["title"], series.get("edition", ""), campaign["period"]["start"],
                 campaign["period"]["end"], record["verdict"]["answer"])
