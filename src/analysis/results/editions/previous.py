"""A campaign's own report against that of the edition before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from analysis.data.editions import previous
from analysis.facts.population import Facts
from analysis.results.editions.change import Since, since
from analysis.results.editions.defined import definitions
from analysis.results.funnel import Step
from analysis.results.goals import Goal
from analysis.results.money import Cost
from analysis.results.phases import Phase
from analysis.results.trust import Check
from analysis.results.uplift import Uplift
from analysis.results.verdict import Verdict


def since_previous(
    facts: Facts, verdict: Verdict, checks: Sequence[Check], goals: Sequence[Goal], effects: Sequence[Uplift],
    phases: Sequence[Phase], costs: Sequence[Cost], funnels: Sequence[Step],
) -> Since | None:
    """What changed since the edition before; None where that has no report, or the campaign is no edition."""
    campaign, before = facts.campaign, previous(facts.campaign)
    if before is None:
        return None
    rows: dict[str, Sequence[Any]] = {
        "checks": checks, "goals": goals, "effects": effects, "phases": phases, "costs": costs, "funnels": funnels}
    return since(before.content, {
        "schema_version": before.content.get("schema_version"), "definitions": asdict(definitions(campaign)),
        "verdict": {"answer": verdict.answer}, "series": {"edition": campaign.series.edition}, "campaign": {
            "name": campaign.name, "title": campaign.text(campaign.title), "time_zone": campaign.time_zone,
            "currency": campaign.currency,
            "period": {"start": str(campaign.period.start), "end": str(campaign.period.end)}},
        **{name: [asdict(row) for row in listed] for name, listed in rows.items()}})
