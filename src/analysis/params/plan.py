"""What is hoped for and what is possible, said before a campaign runs; a review does not look at it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from analysis.params.effects import CHANGE_SCHEMA, Change
from analysis.params.part import Part, suggest
from analysis.params.sources import Source
from analysis.params.values import Share

Mistake = tuple[tuple, str]
PRIMARY = ""        # stands for the primary metric where an effect names none
MOST_HELD_OUT = 0.5


def _by_metric(value: Any) -> Any:
    return value if isinstance(value, dict) else {PRIMARY: value}


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Effects = Annotated[dict[str, Change], BeforeValidator(_by_metric), WithJsonSchema(
    {"anyOf": [CHANGE_SCHEMA, {"type": "object", "additionalProperties": CHANGE_SCHEMA}]})]


class Plan(Part):
    """What a plan needs to know beyond what the review does."""

    effect: Effects = {}
    """the effect hoped for, as a share of the control: 5% of the primary metric, or {metric: 5%, other: -2%}; the
    goals' targets where it says nothing"""
    power: Share | None = None
    """chance with which such an effect is to be found; 80% when empty"""
    days: int | None = Field(default=None, ge=1, le=366)
    """the most days that the campaign could run; twice the period, and two weeks at least, when empty"""
    holdout: Annotated[list[Share], BeforeValidator(_listed)] = []
    """shares of the users to hold out that are to be compared; 1% to 50% when empty"""
    salt: str = ""
    """text that the draw of the arms hangs on; another one draws anew. The campaign's name when empty"""
    exclude: Source | None = None
    """users who are to get no arm (staff, other tests): a source with user_id"""

    @field_validator("power")
    @classmethod
    def _a_chance(cls, power: float | None) -> float | None:
        if power is not None and not 0.5 <= power < 1:
            raise ValueError(f"is {power:g}; a chance of 50% or more, and below 100%")
        return power

    def wished(self, name: str, role: str) -> float | None:
        """The effect hoped for on a metric; None where nothing is said."""
        return self.effect.get(name, self.effect.get(PRIMARY) if role == "primary" else None)


def disagreements(plan: Plan, metrics: Any, arms: Any, period: Any) -> Iterator[Mistake]:
    """Mistakes between the plan and the rest of its campaign, each as (where, message).

    metrics, arms, period   as in `contradictions`: None where they are absent or unreadable
    """
    if plan.days and period and timedelta(days=plan.days) < period.length:
        yield ("plan", "days"), f"is {plan.days}, and the period is longer; it is the most days that could be had"
    for name, effect in plan.effect.items():
        where = ("plan", "effect", name) if name else ("plan", "effect")
        yield from ((where, message) for message in _effect(name, effect, metrics))
    for i, share in enumerate(plan.holdout):
        if not 0 < share <= MOST_HELD_OUT:
            yield ("plan", "holdout", i), f"is {share:.0%}; it lies above 0%, and half of the users are the most"
    if plan.holdout and arms and len(arms.shares) > 2:
        yield ("plan", "holdout"), "is for campaigns with one arm beside the control; here the shares are under `arms:`"


def _effect(name: str, effect: float, metrics: Any) -> Iterator[str]:
    metrics = metrics or {}
    if not effect:
        yield "is 0: say how large an effect is hoped for"
        return
    if name and name not in metrics:
        yield f"'{name}' is not a metric of this file{suggest(name, metrics)}"
    own = metrics.get(name) if name else next((m for m in metrics.values() if m and m.role == "primary"), None)
    if own is None:
        return
    if own.role in ("guardrail", "described"):
        yield (f"'{name}' is a guardrail: its `margin:` says what has to be seen" if own.role == "guardrail" else
               f"'{name}' is only described; give it another role to test it")
    elif (effect > 0) != (own.better == "higher"):
        yield f"is {effect:+.4g}, which is worse: {own.better} is better here"
