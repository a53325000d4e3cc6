"""Effects in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.facts.population import Facts
from analysis.results.belief import Belief
from analysis.results.novelty import Novelty
from analysis.results.segments import SegmentTest
from analysis.results.uplift import Uplift
from analysis.results.views import View
from analysis.showing import words
from analysis.showing.reader import Reader

METHODS = {
    "welch": "as it stands (Welch)", "delta": "as it stands (delta method)", "score": "shares (score test)",
    "adjusted": "adjusted by the time before", "strata": "weighted by strata", "clusters": "by cluster",
    "unadjusted": "without adjustment", "winsorised": "largest values pulled in", "ranks": "ranks (by order alone)",
    "permutation": "shuffled labels", "bootstrap": "resampled users", "fisher": "exact (Fisher)",
}
LOOKED = {
    "always_valid": "The campaign could be looked at on any day: p-values and intervals of effects hold for that, "
                    "and are wider than those of a single look.",
    "obrien_fleming": "The campaign was to be looked at {n} times (O'Brien-Fleming): p-values and intervals of effects "
                      "hold for that.",
    "pocock": "The campaign was to be looked at {n} times (Pocock): p-values and intervals of effects hold for that, "
              "and are wider than those of a single look.",
}


def how(facts: Facts, rows: Sequence[Uplift], reader: Reader) -> list[str]:
    """By what methods the effects were estimated, as far as a reader has to know it."""
    say, said = reader.say, []
    gains = [row.reduction for row in rows if row.method == "adjusted" and not math.isnan(row.reduction)]
    if gains:
        said.append(say(
            "Means and ratios are adjusted by what the same users did before the campaign, so their levels are those "
            "of users who were alike before; that took away {least} to {most} of the variance. Shares are not "
            "adjusted.",
            least=reader.percent(min(gains), 0), most=reader.percent(max(gains), 0)))
    if any(row.method == "strata" for row in rows):
        said.append(say("Arms are compared within {strata}, and these are weighted by their share of all users.",
                        strata=say(", ").join(reader.label(column) for column in facts.campaign.arms.strata)))
    if any(row.method == "clusters" for row in rows):
        said.append(say("Arms were drawn by {cluster}: users of one hang together, so intervals are those between "
                        "them.",
                        cluster=reader.label(facts.campaign.arms.cluster)))
    looks = facts.campaign.effects.looks
    if looks:
        said.append(say(LOOKED[looks.method], n=looks.planned))
    return said


def views(rows: Sequence[Uplift], found: Sequence[View], reader: Reader) -> str:
    """Whether other methods tell the same story of the primary metric."""
    primary = next(row for row in rows if row.role == "primary")
    own = [view for view in found if view.metric == primary.metric and view.arm == primary.arm and not view.reason]
    agree = [view for view in own if (view.pvalue < view.alpha) == (primary.pvalue < primary.alpha)]
    if len(agree) == len(own):
        return reader.say("{metric}: all {n} other methods tell the same story.", metric=reader.title(primary.metric),
                          n=len(own))
    others = reader.say(", ").join(reader.say(METHODS[view.method]) for view in own if view not in agree)
    return reader.say("{metric}: {agree} of {n} other methods tell the same story; not so: {others}.",
                      metric=reader.title(primary.metric), agree=len(agree), n=len(own), others=others)


def segment_test(row: SegmentTest, has_arms: bool, reader: Reader) -> str:
    """Whether the effect differs between the segments of a column."""
    by = reader.label(row.by) + (f" · {reader.label(row.arm)}" if has_arms else "")
    if row.reason:
        return reader.say("{by}: cannot be compared ({why}).", by=by, why=words.reason_text(row.reason, reader))
    if row.pvalue_adjusted < 0.05:
        return reader.say("{by}: the effect differs between the segments (p {p}).", by=by,
                          p=reader.pvalue(row.pvalue_adjusted))
    return reader.say("By {by} no difference between the effects is shown (p {p}): what looks higher or lower may be "
                      "chance.", by=by, p=reader.pvalue(row.pvalue_adjusted))


def novelty(row: Novelty, reader: Reader) -> str:
    """Whether the effect wears off."""
    values = {"metric": reader.title(row.metric), "n": row.n_days, "first": reader.difference(row.first, row.unit),
              "last": reader.difference(row.last, row.unit), "p": reader.pvalue(row.pvalue_adjusted)}
    if row.pvalue_adjusted < 0.05:
        return reader.say("{metric} per user and day: the effect went from {first} on the first day to {last} on day "
                          "{n} (p {p}); do not expect the mean of these days to go on.", **values)
    return reader.say("{metric} per user and day: no change of the effect over the {n} days is shown (p {p}).",
                      **values)


def belief(row: Belief, reader: Reader) -> str:
    """The chance to be better, under the prior that was stated."""
    def show(x: float) -> str:
        return reader.percent(x) if row.scale == "relative" else reader.difference(x, row.unit)

    if row.reason:
        return reader.say("The chance to be better cannot be told ({why}).", why=words.reason_text(row.reason, reader))
    prior = (reader.say("a prior of {mean} ± {sd}", mean=show(row.prior_mean), sd=show(row.prior_sd))
             if row.kind == "normal" else reader.say("Jeffreys' prior of each share"))
    return reader.say(
        "Under {prior} the chance that {arm} is better is {chance}; the effect is {mean} (credible {level}: {lower} to "
        "{upper}). Choosing it loses {loss} on average where that is wrong; staying with {control} loses {stay}.",
        prior=prior, arm=reader.label(row.arm), control=reader.label(row.control),
        chance=reader.percent(row.chance_better), mean=show(row.mean), level=reader.confidence(row.alpha),
        lower=show(row.lower), upper=show(row.upper), loss=show(row.expected_loss),
        stay=show(row.expected_loss_control))


def stop_any_time(row: Belief, reader: Reader) -> str:
    """What the chance to be better must not be used for."""
    return reader.say(
        "It is no rule for stopping: without any effect, a rule that stops as soon as one side is 95% to win fires "
        "in {rate} of campaigns that are looked at {looks} times.", rate=reader.percent(row.stop_any_time, 0),
        looks=row.looks)
