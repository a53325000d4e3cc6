"""What it cost, item by item."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.facts.population import Facts
from analysis.facts.user_facts import is_covered, user_facts
from analysis.params.values import parse_number


@dataclass(frozen=True, slots=True)
class Cost:
    """One item of cost, in the campaign's currency; item "" is the total."""

    item: str
    amount: float
    share: float           # of the total; nan where that is 0 or not known
    source: str            # "params", "costs" (the table) or the name of the metric it sums
    reason: str = ""       # why amount or share is nan: "period_not_over", "zero_total"


def costs(facts: Facts) -> list[Cost]:
    """Cost per item, dearest first, and the total (item "") last; empty when the params state none."""
    campaign = facts.campaign
    if "costs" not in campaign.blocks:
        return []
    items = [(item, *_stated(facts, said)) for item, said in campaign.costs.items()]
    if facts.tables.costs is not None:
        table = facts.tables.costs
        for row in table.group_by("item").aggregate(amount=table.amount.sum()).to_pyarrow().to_pylist():
            items.append((row["item"], float(row["amount"] or 0.0), "costs"))
    total = math.fsum(amount for _, amount, _ in items)
    items.sort(key=lambda item: (math.isnan(item[1]), -item[1], item[0]))
    reason = "period_not_over" if math.isnan(total) else "" if total else "zero_total"
    return [Cost(item, amount, amount / total if total else math.nan, source, reason)
            for item, amount, source in [*items, ("", total, "total")]]


def _stated(facts: Facts, said: str) -> tuple[float, str]:
    """What the params say of an item: an amount, or a metric summed over the period and those who got the campaign."""
    if said not in facts.campaign.metrics:
        return parse_number(said), "params"
    if not is_covered(facts, said):
        return math.nan, said
    wide = user_facts(facts, [said], "during")
    campaign = facts.campaign
    without = campaign.arms.control if campaign.arms else campaign.population.unassigned
    if without:  # what they were given, they were given without the campaign
        wide = wide.filter(wide.variant != without)
    return float(wide[said].sum().to_pyarrow().as_py() or 0.0), said
