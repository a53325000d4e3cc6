"""Every number of a plan in one record; its schema is `docs/plan.schema.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.facts.past import Past
from analysis.facts.population import Left
from analysis.report.results import Heading, Provenance, Published, heading, made_of, schema_of
from analysis.results.planning.answers import Answers
from analysis.results.planning.holdouts import HeldOut
from analysis.results.planning.lengths import judged_days
from analysis.results.planning.needs import Need
from analysis.results.planning.reach import Reach
from analysis.results.planning.smart import Smart
from analysis.results.planning.tensions import Tension
from analysis.results.planning.verdict import PlanVerdict, Remedy
from analysis.results.trust import Check, state
from analysis.showing.reader import Reader

SCHEMA_VERSION = "1.0"  # raise the first number when a reader of older files would be misled


@dataclass(frozen=True, slots=True)
class PlanResults:
    """Numbers are plain, as in a campaign's record; null has its `reason` beside it."""

    schema_version: str
    notebook: Literal["plan"]
    campaign: Heading
    blocks: list[str]           # "goals" and "holdout", where there are any
    verdict: PlanVerdict
    remedies: list[Remedy]
    trust: Literal["ok", "warn", "fail"]    # worst state of the checks
    checks: list[Check]
    needs: list[Need]
    reaches: list[Reach]
    holdouts: list[HeldOut]
    smart: list[Smart]
    tensions: list[Tension]
    population: Left
    n_people: int               # who count and are not excluded
    n_excluded: int             # users whom the params exclude
    days_past: float            # how far back the data go
    days_judged: float          # length at which effects are judged: the planned one, unless the past is shorter
    data_from: str              # UTC
    data_until: str             # UTC, exclusive: the start of the campaign, or the end of the data
    provenance: Provenance


def publish(past: Past, found: Answers, reader: Reader) -> Published:
    """Hand over all that the plan says; the mark that the notebook ran to its end."""
    campaign, tables = past.campaign, past.tables
    blocks = [name for name, rows in (("goals", found.smart), ("holdout", found.holdouts)) if rows]
    sources = [source for name in ("users", "events", "orders") for source in getattr(campaign.sources, name) or ()]
    sources += [campaign.plan.exclude] if campaign.plan.exclude else []
    return Published(PlanResults(
        SCHEMA_VERSION, "plan", heading(campaign, reader.language), blocks, found.verdict, found.remedies,
        state(found.checks), found.checks, found.needs, found.reaches, found.holdouts, found.smart, found.tensions,
        past.facts.left, past.n_people, past.n_excluded, past.days, judged_days(past), tables.data_from.isoformat(),
        tables.data_until.isoformat(), made_of(campaign, sources)))


def schema() -> str:
    """The text of `docs/plan.schema.json`."""
    return schema_of(PlanResults)
