"""What it cost, item by item."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """One item of cost, in the campaign's currency; item "" is the total."""

    item: str
    amount: float
    share: float           # of the total; nan where the total is 0
    source: str            # "params", "costs" (the table) or the name of the metric it sums
    reason: str = ""
