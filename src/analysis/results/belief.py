"""The chance that the campaign is better, for those who stated beforehand what they believed of its effect."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from analysis.facts.population import Facts
from analysis.results.contrast import contrast
from analysis.stats.bayes_counts import posterior_proportions
from analysis.stats.bayes_normal import NormalPrior, posterior_of, stop_any_time
from analysis.stats.posterior import Posterior

LOOKS = 21         # daily looks over three weeks
THRESHOLD = 0.95   # "95 % to win"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief(Posterior):
    """What is to be believed of the primary metric's effect in one arm, after the data."""

    metric: str
    unit: str
    arm: str
    control: str
    better: str
    looks: int = LOOKS                # how often "stop as soon as it is 95 % to win" was looked at ...
    stop_any_time: float = 0.0        # ... to fire in this share of runs without any effect, under a flat prior


def beliefs(facts: Facts) -> list[Belief]:
    """Under the params' prior; of a share also the exact posterior under Jeffreys' prior. Empty without a prior."""
    campaign, asked = facts.campaign, facts.campaign.effects.prior
    if campaign.arms is None or asked is None:
        return []
    name = next(iter(campaign.metric("primary")))
    metric, own = campaign.metrics[name], contrast(facts, name)
    prior = NormalPrior(asked.mean, asked.sd)
    found = []
    for arm in campaign.arms.shares:
        if arm == campaign.arms.control:
            continue
        compared = own.compare(arm, campaign.arms.control)
        answers = [posterior_of(compared, prior, asked.scale, metric.better)]
        if own.counts and not compared.reason:
            answers.append(posterior_proportions(
                *own.counts[arm], *own.counts[campaign.arms.control], scale=asked.scale, better=metric.better))
        found += [Belief(**asdict(answer), metric=name, unit="share" if metric.kind == "any" else metric.unit, arm=arm,
                         control=campaign.arms.control, better=metric.better,
                         stop_any_time=stop_any_time(LOOKS, THRESHOLD)) for answer in answers]
    return found
