"""For whom did it work? The primary metric's effect in each segment, and whether the segments really differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from analysis.facts.compared import arm_moments, cluster_sums
from analysis.facts.population import Facts
from analysis.facts.user_facts import is_covered
from analysis.results.contrast import Contrast, contrast, of_clusters, of_users, parts_of
from analysis.results.looks import at_end, level_at_end, too_early
from analysis.results.small_groups import shown
from analysis.stats.comparison import Comparison
from analysis.stats.heterogeneity import heterogeneity
from analysis.stats.multiplicity import compatible_alphas, holm
from analysis.stats.tails import z_critical

MOST = 30   # segments of a column; with more it is a list of users, not of segments


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEffect(Comparison):
    """One arm against control among the users of one segment. Intervals are at 1 - alpha of this row."""

    metric: str
    unit: str
    by: str                  # column of users
    segment: str             # its value; "" for users without one
    n_users: int             # in both arms
    arm: str
    control: str
    pvalue_adjusted: float   # for looking early, then Holm over the segments and arms of the column


@dataclass(frozen=True, slots=True)
class SegmentTest:
    """Does the effect differ between the segments of a column?"""

    metric: str
    by: str
    arm: str
    n_segments: int          # that could be compared
    overall: float           # effect on all users, as reported, in the metric's unit
    pooled: float            # effect, segments weighted by precision
    q: float                 # Cochran's
    pvalue: float
    pvalue_adjusted: float   # for looking early, then Holm over all columns and arms
    i2: float                # share of the scatter between segments that is not chance
    reason: str = ""         # "too_few_segments", "too_many_segments", "data_end_before", "empty_arm", "small_groups"


def segments(facts: Facts) -> tuple[list[SegmentEffect], list[SegmentTest]]:
    """The columns that the params name under `effects.segments`; empty without arms."""
    campaign = facts.campaign
    if campaign.arms is None:
        return [], []
    name = next(iter(campaign.metric("primary")))
    effects, tests = [], []
    for by in campaign.effects.segments:
        own, reason = _contrasts(facts, name, by)
        effects += _of_column(facts, name, by, own)
        tests += _tests(facts, name, by, own, reason)
    n = sum(facts.groups.get(arm, 0) for arm in campaign.arms.shares)
    adjusted = holm([at_end(facts, name, test.pvalue, n).pvalue for test in tests])
    return effects, [SegmentTest(**{**asdict(test), "pvalue_adjusted": p})
                     for test, p in zip(tests, adjusted, strict=True)]


def _of_column(facts: Facts, name: str, by: str, own: Mapping[str, Contrast]) -> Iterator[SegmentEffect]:
    campaign = facts.campaign
    control, metric = campaign.arms.control, campaign.metrics[name]
    rows = [(segment, arm) for segment in own for arm in campaign.arms.shares if arm != control]
    plain = [own[segment].compare(arm, control) for segment, arm in rows]
    n = [found.n_treatment + found.n_control for found in plain]
    looked = [at_end(facts, name, found.pvalue, users).pvalue for found, users in zip(plain, n, strict=True)]
    adjusted = holm(looked)
    alphas = compatible_alphas(looked, adjusted)
    for (segment, arm), found, users, p, alpha in zip(rows, plain, n, adjusted, alphas, strict=True):
        level = level_at_end(facts, name, users, alpha)
        told = found if found.reason else too_early(found) if math.isnan(level) else own[segment].compare(
            arm, control, level)
        yield SegmentEffect(
            **{**asdict(told), "pvalue": found.pvalue}, metric=name, by=by, segment=segment, arm=arm, n_users=users,
            unit="share" if metric.kind == "any" else metric.unit, control=control, pvalue_adjusted=p)


def _contrasts(facts: Facts, name: str, by: str) -> tuple[dict[str, Contrast], str]:
    """Segment -> its users' contrast, adjusted as the whole is, the largest first; or none, and why.

    Segments with few users in an arm are left out: the arm's mean would be theirs.
    """
    if not is_covered(facts, name):
        return {}, "data_end_before"
    if int(facts.population[by].cast("string").fill_null("").nunique().to_pyarrow().as_py()) > MOST:
        return {}, "too_many_segments"
    parts, arms = parts_of(facts, name), facts.campaign.arms
    if arms.cluster:
        sums = cluster_sums(facts, parts, by)
        found = {segment: of_clusters(facts, name, own) for segment, own in sums.items()}
        n = {segment: {arm: int(own.n_users.sum()) for arm, own in arms.items()} for segment, arms in sums.items()}
    else:
        by_segment: dict[str, dict] = {}
        for (segment, *stratum), own in arm_moments(facts, [parts], [by, *arms.strata])[0].items():
            by_segment.setdefault(segment, {})[tuple(stratum)] = own
        found = {segment: of_users(facts, name, strata) for segment, strata in by_segment.items()}
        n = {segment: {arm: sum(own[arm].n for own in strata.values() if arm in own) for arm in arms.shares}
             for segment, strata in by_segment.items()}
    ranked = sorted(found, key=lambda segment: (-sum(n[segment].values()), segment))
    sizes = {segment: [n[segment].get(arm, 0) for arm in arms.shares] for segment in ranked}
    told = shown(facts, "segments", sizes, name, by)
    return {segment: found[segment] for segment in told}, "" if told else "small_groups" if found else "empty_arm"


def _tests(facts: Facts, name: str, by: str, own: Mapping[str, Contrast], reason: str) -> Iterator[SegmentTest]:
    """Each segment's error is that of its effect alone, whatever level the corrected interval is drawn at."""
    for arm in facts.campaign.arms.shares:
        if arm == facts.campaign.arms.control:
            continue
        if reason:
            yield SegmentTest(name, by, arm, 0, *[math.nan] * 6, reason)
            continue
        plain = [each.compare(arm, facts.campaign.arms.control) for each in own.values()]
        whole = heterogeneity([row.diff for row in plain], [_error(row) for row in plain])
        overall = contrast(facts, name).compare(arm, facts.campaign.arms.control).diff
        yield SegmentTest(name, by, arm, whole.n_segments, overall, whole.pooled, whole.q, whole.pvalue, math.nan,
                          whole.i2, whole.reason)


def _error(row: Comparison) -> float:
    """Standard error of the difference, from its interval."""
    return math.nan if row.reason else (row.diff_upper - row.diff_lower) / 2 / z_critical(row.alpha)
