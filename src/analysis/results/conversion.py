"""Who converts better: arm against control at each step, and segment against the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from analysis.facts.population import Facts
from analysis.facts.step_facts import all_mature, arm_step_facts, has_reached
from analysis.params.counting import Funnel
from analysis.results.funnel import Step
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.multiplicity import compatible_alphas, holm
from analysis.stats.proportions import compare_proportions

Counts = tuple[int, int, int, int]    # converted and all units of the treatment, then of control


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEffect(Comparison):
    """One step in one arm against control, among users and on their first entry after the assignment.

    Intervals are at 1 - alpha of this row, adjusted like its p-value.
    """

    funnel: str
    arm: str
    control: str
    position: int
    step: str
    base: str                # "assigned": share of the arm's users; "entry": share of those who entered
    is_check: bool           # entering itself: if it differs, those who entered are no longer like each other
    pvalue_adjusted: float   # Holm within the funnel; the check is not adjusted, it has to see


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentGap(Comparison):
    """The last step in one segment (treatment) against all others shown (control). A description."""

    funnel: str
    by: str
    segment: str
    pvalue_adjusted: float   # Holm within the breakdown


def arm_effects(facts: Facts, name: str) -> list[StepEffect]:
    """Every arm against control: entering, then each step among those who entered, then the end per assigned user.

    Empty without arms. Only the first entry of each user counts, whatever the funnel itself says: under `any`, more
    exposures mean more chances (rule F2). Rates stand on first entries whose window is over. What happens after an
    entry compares like with like only if the arms entered alike; per assigned user it always does, and is given where
    no window is open.
    """
    arms, asked = facts.campaign.arms, facts.campaign.funnels[name]
    if arms is None:
        return []
    counts = _counts(facts, asked)
    return _adjusted([row for arm in arms.shares if arm != arms.control for row in _rows(facts, name, counts, arm)])


def segment_gaps(steps: Sequence[Step], asked: Funnel) -> list[SegmentGap]:
    """Each segment of each breakdown against its rest, on the rate of the last step.

    steps   of one funnel, phases left out here; empty where units may be in several segments
    """
    if asked.attribution == "all_steps":
        return []
    found = []
    for by in dict.fromkeys(step.by for step in steps if step.by not in ("", "phase")):
        ends = [step for step in steps if step.by == by and step.position == len(asked.steps)]
        if len(ends) > 1:
            found += _gaps(by, ends)
    return found


def _counts(facts: Facts, asked: Funnel) -> dict[str, dict[str, int]]:
    """Arm -> all users who entered, and of those whose window is over n_1 .. n_k who reached the steps."""
    units = arm_step_facts(facts, asked)
    found = units.group_by(arm=units.by_variant).aggregate(
        entered=units.count(),
        **{f"n_{i}": (units.is_mature & has_reached(units, i)).sum() for i in range(1, len(asked.steps) + 1)})
    rows = {row["arm"]: row for row in found.to_pyarrow().to_pylist()}
    nobody = dict.fromkeys(("entered", *(f"n_{i}" for i in range(1, len(asked.steps) + 1))), 0)
    return {arm: rows.get(arm, nobody) for arm in facts.campaign.arms.shares}


def _rows(facts: Facts, name: str, counts: dict[str, dict[str, int]], arm: str) -> Iterator[tuple[Counts, dict]]:
    """(counts, the fields that name it) of every row of one arm; only the check where an arm cannot enter at all."""
    asked, control = facts.campaign.funnels[name], facts.campaign.arms.control

    def row(position: int, base: str, reached: str, of: str, is_check: bool = False) -> tuple[Counts, dict]:
        four = [n for a in (arm, control)
                for n in (counts[a][reached], facts.groups.get(a, 0) if base == "assigned" else counts[a][of])]
        return tuple(four), {"funnel": name, "arm": arm, "control": control, "position": position,
                             "step": asked.titles[position - 1], "base": base, "is_check": is_check}

    yield row(1, "assigned", "entered", "", is_check=True)
    if not counts[arm]["entered"] or not counts[control]["entered"]:
        return
    last = len(asked.steps)
    for i in range(2, last + 1):
        yield row(i, "entry", f"n_{i}", "n_1")
    if all_mature(facts, asked):
        yield row(last, "assigned", f"n_{last}", "")


def _adjusted(rows: list[tuple[Counts, dict]]) -> list[StepEffect]:
    """The checks at their own level, all other rows as one family."""
    pvalues = [_compare(counts).pvalue for counts, named in rows if not named["is_check"]]
    adjusted = holm(pvalues)
    together = iter(zip(adjusted, compatible_alphas(pvalues, adjusted), strict=True))
    found = []
    for counts, named in rows:
        pvalue, alpha = (_compare(counts).pvalue, ALPHA) if named["is_check"] else next(together)
        found.append(StepEffect(**asdict(_compare(counts, alpha)), **named, pvalue_adjusted=pvalue))
    return found


def _compare(counts: Counts, alpha: float = ALPHA) -> Comparison:
    if not counts[1] or not counts[3]:
        return Comparison.missing("proportion", "empty_arm")
    return compare_proportions(*counts, alpha)


def _gaps(by: str, ends: list[Step]) -> list[SegmentGap]:
    done, entered = sum(step.n_converted for step in ends), sum(step.n_mature for step in ends)
    rows = [(step.n_converted, step.n_mature, done - step.n_converted, entered - step.n_mature) for step in ends]
    pvalues = [_compare(row).pvalue for row in rows]
    adjusted = holm(pvalues)
    alphas = compatible_alphas(pvalues, adjusted)
    return [SegmentGap(**asdict(_compare(row, alpha)), funnel=step.funnel, by=by, segment=step.segment,
                       pvalue_adjusted=pvalue)
            for step, row, pvalue, alpha in zip(ends, rows, adjusted, alphas, strict=True)]
