"""May the past be believed? The review's own checks on the days that the plan was measured on."""

from __future__ import annotations

from dataclasses import replace

from analysis.facts.past import Past, eve, imagined
from analysis.results import trust
from analysis.results.planning.lengths import lengths


def past_checks(past: Past) -> list[trust.Check]:
    """All that do not need arms. Whether the past is long enough is told where it is needed."""
    days = lengths(past)
    primary = past.campaign.metrics[next(iter(past.campaign.metric("primary")))]
    counted = past.campaign.metrics[primary.ratio[0]] if primary.ratio else primary
    facts = imagined(past, days[-1], counted) if days else eve(past)
    without = replace(facts, campaign=facts.campaign.model_copy(update={"arms": None}), kept={})
    return [check for check in trust.checks(without) if check.name != "coverage"]
