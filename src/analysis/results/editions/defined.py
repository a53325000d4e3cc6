"""How the params define each number, in texts that two editions can be held against."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from analysis.params.counting import Funnel, StepMatch
from analysis.params.metric import Metric
from analysis.params.model import Campaign

Texts = dict[str, str]   # aspect -> what the params say of it


@dataclass(frozen=True, slots=True)
class Definitions:
    """What the numbers of a report mean, as its params say; each aspect is a text that is the same or is not."""

    population: str
    effects: Texts               # control, method; empty without arms
    metrics: dict[str, Texts]    # name -> kind, counted, window, unit
    funnels: dict[str, Texts]    # name -> steps, window, options
    costs: str                   # the items that the params name
    days: float                  # planned length of the period


def definitions(campaign: Campaign) -> Definitions:
    return Definitions(
        _population(campaign), _effects(campaign),
        {name: _metric(campaign, metric) for name, metric in campaign.metrics.items()},
        {name: _funnel(funnel) for name, funnel in campaign.funnels.items()}, _costs(campaign),
        campaign.period.length.total_seconds() / 86400)


def _population(campaign: Campaign) -> str:
    said = campaign.population
    parts = [f"consent {said.consent}" if said.consent else "", _where(said.where),
             f"others are {said.unassigned}" if said.unassigned else ""]
    return "; ".join(part for part in parts if part) or "everybody"


def _effects(campaign: Campaign) -> Texts:
    arms, effects = campaign.arms, campaign.effects
    if arms is None:
        return {}
    drawn = f"clusters of {arms.cluster}" if arms.cluster else ", ".join(arms.strata)
    looks = effects.looks.method if effects.looks else "one look"
    said = [f"adjusted by {effects.adjust}", drawn, effects.correction, looks]
    return {"control": arms.control, "method": ", ".join(part for part in said if part)}


def _metric(campaign: Campaign, metric: Metric) -> Texts:
    return {"kind": metric.kind, "counted": _counted(campaign, metric), "window": _window(metric),
            "unit": "share" if metric.kind == "any" else metric.unit}


def _counted(campaign: Campaign, metric: Metric) -> str:
    if metric.ratio:
        return " / ".join(_counted(campaign, campaign.metrics[part]) for part in metric.ratio)
    kinds = {"count": f"rows of {metric.count}", "any": f"any of {metric.any}", "sum": f"sum of {metric.sum}"}
    return " where ".join(part for part in (kinds[metric.kind], _where(metric.where)) if part)


def _window(metric: Metric) -> str:
    return _length(metric.window) if metric.window else metric.over


def _funnel(funnel: Funnel) -> Texts:
    """Of a period of its own only the length counts; which segments are shown changes no rate of the whole."""
    said = funnel.model_dump(
        mode="json", exclude_defaults=True, exclude={"steps", "window", "by", "attribution", "period"})
    said |= {"period": _length(funnel.period.length)} if funnel.period else {}
    return {"steps": " > ".join(_step(step) for step in funnel.steps),
            "window": _length(funnel.window) if funnel.window else "none",
            "options": json.dumps(said, sort_keys=True, ensure_ascii=False) if said else ""}


def _costs(campaign: Campaign) -> str:
    """The items; of an amount that is counted also by which metric."""
    return ", ".join(f"{item} ({said})" if said in campaign.metrics else item
                     for item, said in sorted(campaign.costs.items()))


def _step(step: StepMatch) -> str:
    """Its event; with conditions all that it says."""
    said = step.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    return step.event if said.keys() <= {"event"} else json.dumps(said, sort_keys=True, ensure_ascii=False)


def _length(stretch: timedelta) -> str:
    return f"{stretch.total_seconds() / 86400:g} days"


def _where(where: Mapping[str, Sequence[str]]) -> str:
    return " and ".join(f"{column} = {' or '.join(sorted(values))}" for column, values in sorted(where.items()))
