"""One metric in all arms, ready to be compared: by the method that fits its kind and how the arms were drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analysis.facts.compared import arm_moments, cluster_sums, covariates
from analysis.facts.population import Facts
from analysis.facts.user_facts import is_covered
from analysis.stats.adjust import adjust, pair_of, reduction
from analysis.stats.clusters import ClusterSums, cluster_level
from analysis.stats.comparison import ALPHA, Comparison
from analysis.stats.moments import JointMoments, merged
from analysis.stats.noninferiority import noninferiority_proportions, ratio_at
from analysis.stats.pairs import Pair, compare_pair, independent, margin_pvalue
from analysis.stats.proportions import compare_proportions

SMALLEST_STRATUM = 10   # users of an arm; smaller strata are put together
RAREST = 20             # expected users of an arm who did, and who did not; t on rarer shares alarms in up to 8 %

SHAPES = {"any": "proportion", "ratio": "ratio"}   # of a metric's kind; the others are means


@dataclass(frozen=True)
class Contrast:
    """What is known of one metric in every arm."""

    name: str
    shape: str                                    # "mean", "proportion", "ratio"
    method: str                                   # "welch", "delta", "score", "adjusted", "strata", "clusters"
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)   # score: arm -> who did, of how many
    pairs: Mapping[str, Pair] = field(default_factory=dict)               # else: arm -> it and control
    reduction: Mapping[str, float] = field(default_factory=dict)          # adjusted: share of variance taken away
    reason: str = ""

    def compare(self, arm: str, control: str, alpha: float = ALPHA) -> Comparison:
        """One arm against control at a level."""
        if self.reason or (arm not in self.counts and arm not in self.pairs):
            return Comparison.missing(self.shape, self.reason or "empty_arm")
        if self.counts:
            return compare_proportions(*self.counts[arm], *self.counts[control], alpha)
        return compare_pair(self.shape, self.pairs[arm], alpha)

    def margin_pvalue(self, arm: str, control: str, margin: float, better: str, alpha: float = ALPHA) -> float:
        """One-sided p of H0: the arm is worse than control by the margin or more."""
        if self.counts:
            return noninferiority_proportions(*self.counts[arm], *self.counts[control], margin, better)
        return margin_pvalue(self.pairs[arm], ratio_at(margin, better), better, alpha)


def contrast(facts: Facts, name: str, is_adjusted: bool = True) -> Contrast:
    """One metric of the params.

    is_adjusted   by what users did before and by strata, where the params and the data allow; False for the plain
                  comparison beside it
    """
    if facts.campaign.arms is None:
        raise ValueError("the campaign has no arms to compare")
    if not is_covered(facts, name):
        return Contrast(name, _shape(facts, name), "", reason="data_end_before")
    if facts.campaign.arms.cluster:
        return of_clusters(facts, name, clusters_of(facts, name))
    return of_users(facts, name, _moments(facts, name), is_adjusted)


def _shape(facts: Facts, name: str) -> str:
    return SHAPES.get(facts.campaign.metrics[name].kind, "mean")


def parts_of(facts: Facts, name: str) -> list[str]:
    """The metric itself, or numerator and denominator."""
    return list(facts.campaign.metrics[name].ratio) or [name]


def _moments(facts: Facts, name: str) -> dict[tuple[str, ...], dict[str, JointMoments]]:
    """Strata -> arm -> moments; all metrics of one time are asked for at once and kept."""
    metrics, key = facts.campaign.metrics, ("contrast", name)
    if key not in facts.kept:
        own = metrics[parts_of(facts, name)[0]].time
        names = [other for other, metric in metrics.items()
                 if metrics[parts_of(facts, other)[0]].time == own and (metric.role != "described" or other == name)]
        arms = facts.campaign.arms
        found = arm_moments(facts, [parts_of(facts, other) for other in names], arms.strata, arms.shares)
        facts.kept.update({("contrast", other): one for other, one in zip(names, found, strict=True)})
    return facts.kept[key]


def of_users(
    facts: Facts, name: str, strata: Mapping[tuple[str, ...], Mapping[str, JointMoments]], is_adjusted: bool = True
) -> Contrast:
    """Users drawn one by one: stratum -> arm -> moments of the metric and its covariates."""
    campaign, shape, parts = facts.campaign, _shape(facts, name), parts_of(facts, name)
    control = campaign.arms.control
    arms = [arm for arm in campaign.arms.shares if any(arm in own for own in strata.values())]
    if control not in arms:
        return Contrast(name, shape, "", reason="empty_arm")
    whole = _together(list(strata.values()), arms)
    sound = [arm for arm in arms if arm == control or _is_sound(whole[arm], parts)]
    cells = _large_enough(list(strata.values()), sound) if is_adjusted else [{arm: whole[arm] for arm in sound}]
    if shape == "proportion":
        counts = {arm: (round(own.metric(name).mean * own.n), own.n) for arm, own in whole.items()}
        if len(cells) == 1 or _is_rare([counts[arm] for arm in sound]):
            return Contrast(name, shape, "score", counts=counts)
    known = adjusted_by(facts, name) if is_adjusted else []
    found = adjust(cells, parts, known)
    method = "adjusted" if found.rank else "strata" if len(cells) > 1 else "delta" if shape == "ratio" else "welch"
    # an arm that cannot be estimated has its own reason and leaves the others theirs
    apart = {arm: adjust([{each: whole[each] for each in (arm, control)}], parts) for arm in arms if arm not in sound}
    pairs = {arm: pair_of(apart.get(arm, found), arm, control) for arm in arms if arm != control}
    reductions = {arm: reduction(apart.get(arm, found), arm, control, pair) for arm, pair in pairs.items()}
    return Contrast(name, shape, method, pairs=pairs, reduction=reductions if method in ("adjusted", "strata") else {})


def adjusted_by(facts: Facts, name: str) -> list[str]:
    """What users did before, as far as the effect on a metric is adjusted by it; shares are not."""
    is_adjusted = _shape(facts, name) != "proportion" and facts.campaign.effects.adjust == "before"
    return covariates(facts, parts_of(facts, name)) if is_adjusted else []


def _is_sound(own: JointMoments, parts: Sequence[str]) -> bool:
    """Whether an arm has users enough, and something to divide by."""
    return own.n > 1 and (len(parts) == 1 or own.metric(parts[1]).mean != 0)


def _is_rare(counts: Sequence[tuple[int, int]]) -> bool:
    """Whether so few did, or did not, that only the score test is right. Judged without looking at who is in which arm,
    so that nothing is chosen by its effect."""
    share = sum(x for x, _ in counts) / sum(n for _, n in counts)
    return min(n for _, n in counts) * min(share, 1 - share) < RAREST


def by_size(sizes: Sequence[Mapping[str, int]], arms: Sequence[str]) -> tuple[list[int], list[int]]:
    """Which strata are put together, and which stand alone as every arm has users enough there.

    sizes   of each stratum, arm -> users; their numbers alone decide

    The smallest of the large ones joins those put together where these would still be too small.
    """
    if len(sizes) == 1:
        return [], [0]
    large = sorted(range(len(sizes)), key=lambda i: min(sizes[i].get(arm, 0) for arm in arms))
    small: list[int] = []
    while large and not (_is_large(sizes, large[:1], arms) and (not small or _is_large(sizes, small, arms))):
        small.append(large.pop(0))
    return small, large


def _is_large(sizes: Sequence[Mapping[str, int]], those: Sequence[int], arms: Sequence[str]) -> bool:
    return all(sum(sizes[i].get(arm, 0) for i in those) >= SMALLEST_STRATUM for arm in arms)


def _large_enough(strata: Sequence[Mapping[str, JointMoments]], arms: Sequence[str]) -> list[dict[str, JointMoments]]:
    small, large = by_size([{arm: moments.n for arm, moments in own.items()} for own in strata], arms)
    return [*([_together([strata[i] for i in small], arms)] if small else []),
            *({arm: strata[i][arm] for arm in arms} for i in large)]


def _together(strata: Sequence[Mapping[str, JointMoments]], arms: Sequence[str]) -> dict[str, JointMoments]:
    having = {arm: [own[arm] for own in strata if arm in own] for arm in arms}
    return {arm: merged(own) for arm, own in having.items() if own}


def clusters_of(facts: Facts, name: str) -> dict[str, ClusterSums]:
    """Arm -> its clusters; made once."""
    key = ("clusters", name)
    if key not in facts.kept:
        facts.kept[key] = cluster_sums(facts, parts_of(facts, name))[""]
    return facts.kept[key]


def of_clusters(facts: Facts, name: str, sums: Mapping[str, ClusterSums]) -> Contrast:
    """Arms drawn by cluster: arm -> its clusters."""
    control, shape = facts.campaign.arms.control, _shape(facts, name)
    if control not in sums:
        return Contrast(name, shape, "", reason="empty_arm")
    level = {arm: cluster_level(own) for arm, own in sums.items() if arm in facts.campaign.arms.shares}
    return Contrast(name, shape, "clusters", pairs={
        arm: independent(own, level[control]) for arm, own in level.items() if arm != control})
