"""Every number of a look at a running campaign in one record; its schema is `docs/monitor.schema.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.data.rows import Rows
from analysis.facts.population import Facts, Left
from analysis.facts.ticks import Tick, planned_ticks
from analysis.report.results import Heading, Provenance, Published, heading, provenance, schema_of
from analysis.results.groups import Group, groups
from analysis.results.running.arrival import Arrival, Last
from analysis.results.running.breaks import Break
from analysis.results.running.course import LeftOut, Point
from analysis.results.running.decision import FALSE_ALARMS, Decision, Watch
from analysis.results.running.looking import ENOUGH, method
from analysis.results.running.outlook import Outlook, Unseen
from analysis.results.running.split import ArmSoFar
from analysis.results.trust import Check, state
from analysis.showing.reader import Reader
from analysis.stats.breaks import LASTING, SMALLEST
from analysis.stats.comparison import ALPHA

SCHEMA_VERSION = "1.0"  # raise the first number when a reader of older files would be misled


@dataclass(frozen=True, slots=True)
class Rules:
    """The levels and thresholds that the report goes by."""

    method: str            # always_valid, obrien_fleming, pocock; at_end: nothing is claimed before the end
    alpha: float           # of claims
    enough: int            # users that count in each arm, below which a look at any time claims nothing
    false_alarms: float    # share of quiet days on which something is called a break
    smallest: float        # departure below which nothing is
    lasting: int           # breaks in a row that are a new level


@dataclass(frozen=True, slots=True)
class MonitorResults:
    """Numbers are plain, as in a campaign's record; null has its `reason` beside it."""

    schema_version: str
    notebook: Literal["monitor"]
    campaign: Heading
    blocks: list[str]           # "guardrails", where there are any
    verdict: Decision
    trust: Literal["ok", "warn", "fail"]    # worst state of the checks
    checks: list[Check]
    rules: Rules
    ticks: list[Tick]           # days (hours) of the period, also those to come
    arrivals: list[Arrival]
    last_rows: list[Last]
    split: list[ArmSoFar]
    effects: list[Point]        # at the last look at which something may be claimed
    course: list[Point]         # at every look
    outlook: list[Outlook]
    breaks: list[Break]
    unseen: Unseen
    left_out: list[LeftOut]
    population: Left
    groups: list[Group]
    rows: list[Rows]
    data_from: str | None       # UTC
    data_until: str | None      # UTC, exclusive; rows from then on are not used
    provenance: Provenance


def publish(
    facts: Facts, reader: Reader, answer: Decision, seen: Watch, last: Sequence[Last], split: Sequence[ArmSoFar],
    effects: Sequence[Point], course: Sequence[Point], ahead: Sequence[Outlook], rest: Unseen, out: Sequence[LeftOut],
) -> Published:
    """Hand over all that the report says; the mark that the notebook ran to its end."""
    tables = facts.tables
    return Published(MonitorResults(
        SCHEMA_VERSION, "monitor", heading(facts.campaign, reader.language),
        ["guardrails"] if facts.campaign.metric("guardrail") else [], answer, state(seen.checks), seen.checks,
        Rules(method(facts), ALPHA, ENOUGH, FALSE_ALARMS, SMALLEST, LASTING), planned_ticks(facts.campaign),
        seen.arrivals, list(last), list(split), list(effects), list(course), list(ahead), seen.breaks, rest, list(out),
        facts.left, groups(facts), tables.rows, tables.data_from.isoformat() if tables.data_from else None,
        tables.data_until.isoformat() if tables.data_until else None, provenance(facts.campaign)))


def schema() -> str:
    """The text of `docs/monitor.schema.json`."""
    return schema_of(MonitorResults)
