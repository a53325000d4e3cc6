"""The campaign day by day: moments of each day, and each user's trend over the days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import ibis
import numpy as np
from ibis.expr.types import Table

from analysis.facts.measure import joint_moments
from analysis.facts.population import Facts
from analysis.facts.user_facts import user_days
from analysis.stats.moments import JointMoments, merged


def from_the_start(facts: Facts) -> Table:
    """Users who were in their arm when the campaign began: user_id, variant."""
    opens = facts.campaign.period.interval(facts.campaign.time_zone)[0].replace(tzinfo=None)
    people = facts.population
    return people.filter(people.entered_at <= ibis.timestamp(opens)).select("user_id", "variant")


def days_of(facts: Facts) -> list[date]:
    """Whole local days of the campaign that the data cover, closed ones left out."""
    campaign, until = facts.campaign, facts.tables.data_until
    opens, closes = (campaign.local(t) for t in campaign.period.interval(campaign.time_zone))
    if until is None:
        return []
    closes = min(closes, campaign.local(until))
    days = [opens.date() + timedelta(days=i) for i in range((closes.date() - opens.date()).days + 1)]
    midnight = opens.min.time()
    return [day for day in days if day not in campaign.closed and opens <= opens.combine(day, midnight)
            and opens.combine(day + timedelta(days=1), midnight) <= closes]


def day_moments(facts: Facts, name: str) -> dict[date, dict[str, JointMoments]]:
    """Day -> arm -> moments per user of that day, zeros included; of users who were there from the start.

    name   a metric without a ratio
    """
    people = from_the_start(facts)
    n = {row["variant"]: row["n"] for row in people.variant.value_counts(name="n").to_pyarrow().to_pylist()}
    own = _days(facts, name).semi_join(people, "user_id")
    found = {key: moments for key, (moments,) in joint_moments(own, [["value"]], ["variant", "day"]).items()}
    nobody = np.zeros(1), np.zeros((1, 1))
    return {day: {arm: _with_zeros(found.get((arm, day)), users, nobody) for arm, users in sorted(n.items())}
            for day in days_of(facts)}


def _with_zeros(active: JointMoments | None, n: int, nobody: tuple[np.ndarray, np.ndarray]) -> JointMoments:
    idle = n - (active.n if active else 0)
    return merged([part for part in (active, JointMoments(idle, ("value",), *nobody)) if part and part.n])


def trend_facts(facts: Facts, name: str, weights: Mapping[date, float]) -> Table:
    """One row per user who was there from the start: user_id, variant, trend (sum over days of weight x value)."""
    own = _days(facts, name)
    weight = ibis.cases(*[(own.day == ibis.date(day.isoformat()), w) for day, w in weights.items()], else_=0.0)
    sums = own.mutate(part=own.value * weight).group_by("user_id").aggregate(trend=lambda t: t.part.sum())
    wide = from_the_start(facts).left_join(sums, "user_id").drop("user_id_right")
    return wide.mutate(trend=wide.trend.fill_null(0.0))


def _days(facts: Facts, name: str) -> Table:
    return user_days(facts, name, *facts.campaign.period.interval(facts.campaign.time_zone))
