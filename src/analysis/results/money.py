"""What it cost, item by item."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.facts.population import Facts
from analysis.facts.user_facts import user_facts
from analysis.params.values import parse_number


@dataclass(frozen=True, slots=True)
class Cost:
    """One item of cost, in the campaign's currency; item "" is the total."""

    item: str
    amount: float
    share: float           # of the total; nan where the total is 0
    source: str            # "params", "costs" (the table) or the name of the metric it sums
    reason: str = ""


def costs(facts: Facts) -> list[Cost]:
    """Cost per item, dearest first, and the total (item "") last; empty when the params state none."""
    campaign = facts.campaign
    if "costs" not in campaign.blocks:
        return []
    items = [_stated(facts, item, said) for item, said in campaign.costs.items()]
    if facts.tables.costs is not None:
        table = facts.tables.costs
        for row in table.group_by("item").aggregate(amount=table.amount.sum()).to_pyarrow().to_pylist():
            items.append((row["item"], float(row["amount"] or 0.0), "costs"))
    total = math.fsum(amount for _, amount, _ in items)
    items.sort(key=lambda item: (-item[1], item[0]))
    return [Cost(item, amount, amount / total if total else math.nan, source, "" if total else "zero_total")
            for item, amount, source in [*items, ("", total, "total")]]


def _stated(facts: Facts, item: str, said: str) -> tuple[str, float, str]:
    """An item of the params: an amount, or a metric summed over the period and everybody who counts."""
    if said not in facts.campaign.metrics:
        return item, parse_number(said), "params"
    wide = user_facts(facts, [said], "during")
    return item, float(wide[said].sum().to_pyarrow().as_py() or 0.0), said
