"""Retention of arms or segments against each other: a difference per period, and one test for the whole curve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from analysis.facts.activity_facts import CohortCell, cohort_cells
from analysis.facts.population import Facts
from analysis.results.retention import pooled
from analysis.results.small_groups import hidden, shown
from analysis.stats.comparison import ALPHA
from analysis.stats.logrank import AtRisk, logrank
from analysis.stats.multiplicity import compatible_alphas, holm
from analysis.stats.proportions import compare_proportions
from analysis.stats.score import score_difference


@dataclass(frozen=True, slots=True)
class CurveGap:
    """Share that came back in one period: an arm against the control, or a segment against the largest."""

    by: str                # "variant" for arms, else the column
    arm: str
    control: str
    period: int
    n_treatment: int       # users of the cohorts whose period is complete
    n_control: int
    rate_treatment: float  # came back in that very period
    rate_control: float
    diff: float            # treatment - control
    diff_lower: float      # Miettinen-Nurminen score at 1 - alpha
    diff_upper: float
    pvalue: float          # two-sided score test, H0: no difference
    pvalue_adjusted: float  # Holm over the periods and arms of the table
    alpha: float           # at which the interval leaves out 0 exactly when the adjusted p is below 0.05
    reason: str = ""       # why p is nan: "no_conversions", "all_converted", "too_few_users"


@dataclass(frozen=True, slots=True)
class CurveTest:
    """The whole curve: how long users went on coming back, an arm against the control."""

    by: str
    arm: str
    control: str
    n_treatment: int       # users who started
    n_control: int
    share_treatment: float  # of the arm's users who started; nan for segments
    share_control: float
    pvalue_started: float  # score test, H0: the arms start alike; nan for segments
    z: float               # log-rank statistic; above 0 where the treatment is lost sooner
    pvalue: float
    pvalue_adjusted: float  # Holm over the arms or segments
    reason: str = ""       # why there is no test: "started_differently", "empty_arm", "users_repeat", "no_losses"


def curves(facts: Facts) -> tuple[list[CurveTest], list[CurveGap]]:
    """Arms against the control where users were drawn by chance; segments of the params' column against the largest.

    Users are compared who started. Where the campaign changed who starts, those of the arms are different people, and
    nothing is tested. Segments of few users are left out.
    """
    asked, arms = facts.campaign.retention, facts.campaign.arms
    tests: list[CurveTest] = []
    gaps: list[CurveGap] = []
    for by in ([] if asked is None else [*(["variant"] if arms else []), *([asked.by] if asked.by else [])]):
        cells = _by_segment(cohort_cells(facts, asked, by))
        out: set[tuple[str, int]] = set()
        if by != "variant":
            told = shown(facts, "retention", {name: [_started(own)] for name, own in cells.items()}, by=by)
            out = _hidden(cells, told, facts.campaign.min_cell_size)
            cells = {name: cells[name] for name in told}
        control = arms.control if by == "variant" else max(cells, key=lambda name: _started(cells[name]), default="")
        names = [name for name in (arms.shares if by == "variant" else cells) if name != control]
        found = [_whole(by, name, control, cells, facts.groups if by == "variant" else {}, asked.who) for name in names]
        tests += _adjusted(found)
        tested = [test.arm for test in found if test.reason in ("", "no_losses")]
        gaps += _told_apart([gap for name in tested for gap in _periods(by, name, control, cells)
                             if not {(name, gap.period), (control, gap.period)} & out])
    return tests, gaps


def losses(treatment: Sequence[CohortCell], control: Sequence[CohortCell]) -> Iterator[AtRisk]:
    """Who came back for the last time, by cohort and period: at risk is who came back in the period before or later.

    Within a cohort both arms are followed for the same time, so the end of the data censors both alike. Periods that
    are not complete are passed over.
    """
    pairs = {(c.cohort, c.cell): c for c in control if c.is_complete}
    both = sorted(((t, pairs[t.cohort, t.cell]) for t in treatment if t.is_complete and (t.cohort, t.cell) in pairs),
                  key=lambda pair: (pair[0].cohort, pair[0].cell))
    for _, steps in groupby(both, key=lambda pair: pair[0].cohort):
        for (t, c), (next_t, next_c) in pairwise(steps):
            yield AtRisk(t.n_on_or_after, t.n_on_or_after - next_t.n_on_or_after,
                         c.n_on_or_after, c.n_on_or_after - next_c.n_on_or_after)


def _by_segment(cells: Sequence[CohortCell]) -> dict[str, list[CohortCell]]:
    found: dict[str, list[CohortCell]] = {}
    for cell in cells:
        found.setdefault(cell.segment or "", []).append(cell)
    return found


def _hidden(cells: dict[str, list[CohortCell]], told: Sequence[str], least: int) -> set[tuple[str, int]]:
    """(segment, period) not to be told: fewer and fewer users were there long enough ago to be followed so far."""
    sizes: dict[int, dict[str, list[int]]] = {}
    for name, own in cells.items():
        for period, n, _ in pooled(own, "on"):
            sizes.setdefault(period, {})[name] = [n]
    return {(name, period) for period, own in sizes.items()
            for name in hidden(own, least, [name for name in own if name not in told])}


def _started(cells: Sequence[CohortCell]) -> int:
    return sum(cell.n_users for cell in cells if not cell.cell)


def _whole(by: str, arm: str, control: str, cells: dict, groups: dict[str, int], who: str) -> CurveTest:
    n_t, n_c = _started(cells.get(arm, [])), _started(cells.get(control, []))
    share_t = share_c = started = math.nan
    if groups and who != "recurring":
        of = compare_proportions(n_t, groups.get(arm, 0), n_c, groups.get(control, 0))
        share_t, share_c, started = of.value_treatment, of.value_control, of.pvalue
    reason = ("users_repeat" if who == "recurring" else "empty_arm" if not n_t or not n_c else
              "started_differently" if started < ALPHA else "")
    z = pvalue = math.nan
    if not reason:
        z, pvalue = logrank(losses(cells[arm], cells[control]))
        reason = "no_losses" if math.isnan(pvalue) else ""
    return CurveTest(by, arm, control, n_t, n_c, share_t, share_c, started, z, pvalue, math.nan, reason)


def _adjusted(tests: Sequence[CurveTest]) -> list[CurveTest]:
    raised = holm([test.pvalue for test in tests])
    return [replace(test, pvalue_adjusted=p) for test, p in zip(tests, raised, strict=True)]


def _periods(by: str, arm: str, control: str, cells: dict) -> Iterator[CurveGap]:
    of_control = {period: (n, k) for period, n, k in pooled(cells[control], "on")}
    for period, n, k in pooled(cells[arm], "on"):
        n_c, k_c = of_control.get(period, (0, 0))
        if not period or not n or not n_c:
            continue
        of = compare_proportions(k, n, k_c, n_c)
        yield CurveGap(by, arm, control, period, n, n_c, of.value_treatment, of.value_control, of.diff, of.diff_lower,
                       of.diff_upper, of.pvalue, math.nan, of.alpha, of.reason)


def _told_apart(gaps: Sequence[CurveGap]) -> list[CurveGap]:
    """With p adjusted over the family, and intervals at the levels that tell the same story."""
    pvalues = [gap.pvalue for gap in gaps]
    raised = holm(pvalues)
    return [_at(gap, p, alpha) for gap, p, alpha in zip(gaps, raised, compatible_alphas(pvalues, raised), strict=True)]


def _at(gap: CurveGap, pvalue_adjusted: float, alpha: float) -> CurveGap:
    lower, upper = score_difference(
        round(gap.rate_treatment * gap.n_treatment), gap.n_treatment,
        round(gap.rate_control * gap.n_control), gap.n_control, alpha)
    return replace(gap, pvalue_adjusted=pvalue_adjusted, alpha=alpha, diff_lower=lower, diff_upper=upper)
