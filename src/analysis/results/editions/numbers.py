"""The numbers of one report that another edition's can be held against, each with how it is defined."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from analysis.stats.comparison import ALPHA
from analysis.stats.levels import Level
from analysis.stats.tails import t_critical, z_critical

Kind = Literal["level", "effect", "funnel", "cost"]


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a report, with its 95% interval where it has one."""

    kind: Kind               # level and effect of a metric, rate of a funnel's step, cost in all
    name: str                # of the metric or funnel; "" for the cost
    group: str               # group or arm; step of the funnel; "" for everybody
    unit: str
    value: float
    lower: float
    upper: float
    n: int                   # users, or entries of a funnel; 0 for the cost
    days: float              # planned length of the period that it adds up over; nan where it does not
    definition: dict[str, str]   # aspect -> what the params say
    is_share: bool = False   # value x n of n did
    alpha: float = ALPHA     # of the interval
    reason: str = ""         # why it cannot be compared with any: "not_covered", "no_number"

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.name, self.group

    @property
    def is_additive(self) -> bool:
        """Whether it grows with the length of the period, so that it can be had per day."""
        return self.definition.get("kind") in ("sum", "count") and not math.isnan(self.days)

    def level(self, scale: float = 1.0) -> Level:
        """As a test takes it, the standard error read off the interval."""
        df = max(self.n - 1, 1)
        half = (self.upper - self.lower) / 2
        error = half / (t_critical(self.alpha, df) if self.kind == "level" else z_critical(self.alpha))
        reason = "zero_variance" if math.isnan(error) or error <= 0 else ""
        return Level(self.n, self.value * scale, (error * scale) ** 2, reason, df)


def numbers(record: dict[str, Any]) -> dict[tuple[str, str, str], Number]:
    """Of the content of a `results.json`; also of one that is not written yet, where null may be nan."""
    found = [*_levels(record), *_effects(record), *_funnels(record), *_cost(record)]
    return {number.key: number for number in found}


def _levels(record: dict[str, Any]) -> Iterator[Number]:
    for row in record["phases"]:
        if row["phase"] != "during":
            continue
        said = _metric(record, row["metric"])
        value = _float(row["mean"])
        reason = "not_covered" if row["is_cut"] or row["reason"] == "phase_not_covered" else _missing(value)
        yield Number("level", row["metric"], row["group"], row["unit"], value, _float(row["mean_lower"]),
                     _float(row["mean_upper"]), row["n_users"], _days(said, row["days_planned"]), said,
                     row["unit"] == "share", reason=reason)


def _effects(record: dict[str, Any]) -> Iterator[Number]:
    days = _float(record["definitions"]["days"])
    for row in record["effects"]:
        said = _metric(record, row["metric"]) | record["definitions"]["effects"]
        said |= {"method": f"{said['method']}, {row['method']}"}
        value = _float(row["diff"])
        yield Number("effect", row["metric"], row["arm"], row["unit"], value, _float(row["diff_lower"]),
                     _float(row["diff_upper"]), row["n_treatment"] + row["n_control"], _days(said, days), said,
                     alpha=row["alpha"], reason=_missing(value))


def _funnels(record: dict[str, Any]) -> Iterator[Number]:
    definitions = record["definitions"]
    for row in record["funnels"]:
        if row["by"] or row["position"] == 1:
            continue
        said = definitions["funnels"][row["funnel"]] | {"population": definitions["population"]}
        value = _float(row["rate"])
        yield Number("funnel", row["funnel"], row["step"], "share", value, _float(row["rate_lower"]),
                     _float(row["rate_upper"]), row["n_mature"], math.nan, said, True, reason=_missing(value))


def _cost(record: dict[str, Any]) -> Iterator[Number]:
    for row in record["costs"]:
        if not row["item"]:
            value, items = _float(row["amount"]), record["definitions"]["costs"]
            yield Number("cost", "", "", record["campaign"]["currency"], value, math.nan, math.nan, 0, math.nan,
                         {"unit": record["campaign"]["currency"], "items": items}, reason=_missing(value))


def _metric(record: dict[str, Any], name: str) -> dict[str, str]:
    definitions = record["definitions"]
    return definitions["metrics"][name] | {
        "population": definitions["population"], "time_zone": record["campaign"]["time_zone"]}


def _days(said: dict[str, str], days: Any) -> float:
    """The length of the period, where the number depends on it."""
    return _float(days) if said["window"] in ("period", "after", "both") and said["kind"] != "ratio" else math.nan


def _float(value: Any) -> float:
    """A number as `results.json` has it: null is nan, infinite bounds are texts."""
    return math.nan if value is None else float(value)


def _missing(value: float) -> str:
    return "" if math.isfinite(value) else "no_number"
