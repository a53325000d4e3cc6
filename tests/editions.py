"""Records of two editions, as `results.json` has them, written by hand: only what comparing them looks at."""

from __future__ import annotations

import copy
from typing import Any

METRICS = {
    "spend": {"kind": "sum", "counted": "sum of orders.amount", "window": "period", "unit": "USD"},
    "buyers": {"kind": "any", "counted": "any of orders", "window": "period", "unit": "share"},
    "basket": {"kind": "ratio", "counted": "sum of orders.amount / rows of orders", "window": "period", "unit": "USD"},
}


def record(edition: str = "1", start: str = "2025-03-01", end: str = "2025-03-10", days: float = 10.0,
           series: str = "spring") -> dict[str, Any]:
    """A review of 1,000 users in one group, with a funnel of 400 entries, an effect, a goal, a check and a cost."""
    return {
        "schema_version": "1.1", "notebook": "review",
        "campaign": {"name": f"{series}-{edition}", "title": f"Sale {edition}", "language": "en", "currency": "USD",
                     "time_zone": "UTC", "owner": "shop", "question": "?", "period": {"start": start, "end": end}},
        "series": {"name": series, "edition": edition}, "trust": "ok",
        "verdict": {"answer": "cannot_tell", "metric": "spend"},
        "definitions": {"population": "everybody", "effects": {"control": "holdout", "method": "adjusted by before"},
                        "metrics": copy.deepcopy(METRICS), "costs": "media", "days": days, "funnels": {
                            "shop": {"steps": "visit > pay", "window": "7 days", "options": ""}}},
        "phases": [level("spend", 20.0, 1.0, days=days), level("buyers", 0.30, 0.03, "share", days=days),
                   level("basket", 12.0, 0.5, days=days)],
        "effects": [{"metric": "spend", "arm": "campaign", "unit": "USD", "diff": 2.0, "diff_lower": 1.0,
                     "diff_upper": 3.0, "n_treatment": 900, "n_control": 100, "alpha": 0.05, "method": "welch"}],
        "funnels": [{"funnel": "shop", "by": "", "position": position, "step": step, "rate": rate, "rate_lower": rate,
                     "rate_upper": rate, "n_mature": 400} for position, step, rate in
                    ((1, "visit", 1.0), (2, "pay", 0.25))],
        "costs": [{"item": "media", "amount": 500.0}, {"item": "", "amount": 500.0}],
        "goals": [{"metric": "spend", "measure": "total", "against": "before", "arm": "", "target_change": 0.1,
                   "target": 30.0, "verdict": "met"}],
        "checks": [{"name": "duplicates", "subject": "events", "state": "ok"}],
    }


def level(metric: str, mean: float, half: float, unit: str = "USD", days: float = 10.0, **more: Any) -> dict[str, Any]:
    """A row of `phases` during the campaign."""
    return {"metric": metric, "group": "", "phase": "during", "unit": unit, "n_users": 1000, "mean": mean,
            "mean_lower": mean - half, "mean_upper": mean + half, "days_planned": days, "is_cut": False, "reason": "",
            **more}
