"""The past in stretches as long as the campaign: how far metrics move by themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from analysis.facts.past import Past, stretch_totals
from analysis.results.contrast import parts_of

MOST = 100   # stretches that are looked at


def levels(past: Past, name: str) -> list[tuple[float, ...]]:
    """Totals over all users in each stretch, the latest first; of a ratio numerator and denominator.

    Empty for metrics that are not counted over the period alone.
    """
    parts = parts_of(past.facts, name)
    if not all(past.campaign.metrics[part].has_phases for part in parts):
        return []
    return [tuple(row[part] for part in parts) for row in _totals(past)]


def _totals(past: Past) -> list[dict[str, float]]:
    """Of every metric that a goal or guardrail is about, in one pass for each table."""
    if "stretches" not in past.kept:
        campaign = past.campaign
        names = [*(goal.metric for goal in campaign.goals), *campaign.metric("guardrail")]
        parts = dict.fromkeys(part for name in names for part in parts_of(past.facts, name)
                              if campaign.metrics[part].has_phases)
        past.kept["stretches"] = stretch_totals(past, list(parts), MOST)
    return past.kept["stretches"]


def value(level: Sequence[float]) -> float:
    """The total, or the ratio; nan where there is nothing to divide by."""
    if len(level) == 1:
        return level[0]
    return level[0] / level[1] if level[1] else math.nan


def changes(own: Sequence[Sequence[float]], n_before: int) -> Iterator[float]:
    """Each stretch against the mean of the `n_before` stretches before it; half as many will do.

    own   the latest first
    """
    for i, level in enumerate(own):
        earlier = own[i + 1:i + 1 + n_before]
        if len(earlier) < max(1, math.ceil(n_before / 2)):
            return
        base = value([sum(column) / len(earlier) for column in zip(*earlier, strict=True)])
        change = value(level) / base - 1 if base > 0 else math.nan
        if not math.isnan(change):
            yield change
