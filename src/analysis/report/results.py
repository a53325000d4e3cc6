"""Every number of a report in one record: what `results.json` holds and what its schema promises."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Any, Literal

from analysis.data.columns import COLUMNS
from analysis.data.rows import Rows
from analysis.facts.population import Facts, Left
from analysis.params.load import Params
from analysis.params.model import Campaign
from analysis.params.paths import origins
from analysis.params.sources import Source
from analysis.results.activity import Active, Activities, Lifecycle, Stickiness
from analysis.results.balance import Balance
from analysis.results.belief import Belief
from analysis.results.conversion import SegmentGap, StepEffect
from analysis.results.curves import CurveGap, CurveTest
from analysis.results.drops import Drop
from analysis.results.editions.change import Since
from analysis.results.editions.defined import Definitions, definitions
from analysis.results.entry_days import EntryDay
from analysis.results.evidence import Evidence
from analysis.results.funnel import Step
from analysis.results.gap import Gap, Season
from analysis.results.goals import Conflict, Goal
from analysis.results.groups import Group, groups
from analysis.results.lost_to import LostTo
from analysis.results.ltv import Value
from analysis.results.money import Cost
from analysis.results.next_steps import NextStep
from analysis.results.novelty import DayEffect, Novelty
from analysis.results.paths import Counted, Paths
from analysis.results.phases import Daily, Phase
from analysis.results.quantiles import QuantileEffect
from analysis.results.recency import Recency
from analysis.results.relabelled import Calibration
from analysis.results.retention import Cell
from analysis.results.segments import SegmentEffect, SegmentTest
from analysis.results.small_groups import LeftOut, left_out
from analysis.results.survival import Moment, TimeToConvert
from analysis.results.trust import Check, state
from analysis.results.uplift import Uplift
from analysis.results.verdict import Verdict
from analysis.results.views import View
from analysis.showing.reader import Reader
from analysis.showing.table import Html
from analysis.showing.table import definitions as listed

SCHEMA_VERSION = "1.1"  # raise the first number when a reader of older files would be misled
MIME = "application/vnd.campaign.results+json"
DIGITS = 10             # significant: low digits of parallel sums differ from run to run


@dataclass(frozen=True, slots=True)
class Heading:
    """Which campaign this is."""

    name: str
    title: str
    question: str
    owner: str
    language: Literal["en", "zh"]
    currency: str
    time_zone: str
    period: dict[str, str]      # start, end: as the params say, on the campaign's clock
    labels: dict[str, str] = field(default_factory=dict)   # name of a metric, arm, event ... -> the team's word for it


@dataclass(frozen=True, slots=True)
class Edition:
    """Of which series of campaigns this is which edition."""

    name: str
    edition: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the numbers were made from."""

    package: str                # version of campaign-analysis
    python: str
    libraries: dict[str, str]   # name -> version
    params: str                 # SHA-256 of the params file, of those it extends right behind it
    sources: dict[str, str]     # file name -> SHA-256; table of a server -> empty


@dataclass(frozen=True, slots=True)
class Results:
    """Numbers are plain: shares in [0, 1], money in the currency, times in seconds; null has its `reason` beside it."""

    schema_version: str
    notebook: Literal["review"]
    campaign: Heading
    series: Edition | None
    blocks: list[str]           # parts of the report that the params ask for
    definitions: Definitions
    since: Since | None         # what changed since the edition before; null without one
    verdict: Verdict
    trust: Literal["ok", "warn", "fail"]    # worst state of the checks
    checks: list[Check]
    goals: list[Goal]
    conflicts: list[Conflict]
    next_steps: list[NextStep]
    effects: list[Uplift]
    effect_methods: list[View]
    effect_calibrations: list[Calibration]
    effect_segments: list[SegmentEffect]
    effect_segment_tests: list[SegmentTest]
    effect_trends: list[Novelty]
    effect_days: list[DayEffect]
    effect_beliefs: list[Belief]
    effect_quantiles: list[QuantileEffect]
    balance: list[Balance]
    seasons: list[Season]
    gap: Gap | None
    phases: list[Phase]
    daily: list[Daily]
    funnels: list[Step]
    funnel_arms: list[StepEffect]
    funnel_segments: list[SegmentGap]
    funnel_times: list[TimeToConvert]
    funnel_curves: list[Moment]
    funnel_days: list[EntryDay]
    funnel_drops: list[Drop]
    funnel_lost_to: list[LostTo]
    funnel_counted: list[Counted]
    retention: list[Cell]
    retention_tests: list[CurveTest]
    retention_gaps: list[CurveGap]
    value: list[Value]
    lifecycle: list[Lifecycle]
    active: list[Active]
    active_per_day: float | None  # mean over days of users on the day
    day_of_month: float | None  # mean over days of users on the day / users of its 30 days
    stickiness: list[Stickiness]
    recency: list[Recency]
    costs: list[Cost]
    population: Left
    groups: list[Group]
    left_out: list[LeftOut]     # groups of users too small to be shown
    rows: list[Rows]
    data_from: str | None       # UTC
    data_until: str | None      # UTC, exclusive
    provenance: Provenance


class Published:
    """The last value of a notebook: its results, for the renderer; one line for the eye."""

    def __init__(self, results: Any):
        self.results = results

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {MIME: plain(self.results), "text/plain": f"results of {self.results.campaign.name}"}


def publish(
    facts: Facts, reader: Reader, verdict: Verdict, checks: list[Check], *, goals: Sequence[Goal] = (),
    conflicts: Sequence[Conflict] = (), effects: Sequence[Uplift] = (), evidence: Evidence | None = None,
    seasons: Sequence[Season] = (),
    gap: Gap | None = None, phases: Sequence[Phase] = (), daily: Sequence[Daily] = (), funnels: Sequence[Step] = (),
    paths: Paths | None = None, retention: Sequence[Cell] = (), retention_tests: Sequence[CurveTest] = (),
    retention_gaps: Sequence[CurveGap] = (), value: Sequence[Value] = (), activity: Activities | None = None,
    costs: Sequence[Cost] = (), since: Since | None = None, next_steps: Sequence[NextStep] = (),
) -> Published:
    """Hand over all that the report says; the mark that the notebook ran to its end."""
    campaign, tables = facts.campaign, facts.tables
    beside = evidence or Evidence([], [], [], [], [], [], [], [], [])
    paths, activity = paths or Paths(), activity or Activities([], [], [], [], math.nan, math.nan)
    return Published(Results(
        SCHEMA_VERSION, "review", heading(campaign, reader.language), edition(campaign), campaign.blocks,
        definitions(campaign), since, verdict, state(checks), checks, list(goals), list(conflicts), list(next_steps),
        list(effects), beside.views, beside.calibrations, beside.segments,
        beside.segment_tests, beside.trends, beside.days, beside.beliefs, beside.quantiles, beside.balance,
        list(seasons), gap, list(phases), list(daily), list(funnels),
        paths.effects, paths.gaps, paths.times, paths.moments, paths.days, paths.drops, paths.lost_to, paths.counted,
        list(retention), list(retention_tests), list(retention_gaps), list(value), activity.lifecycle, activity.active,
        activity.per_day, activity.day_of_month, activity.stickiness, activity.recency, list(costs), facts.left,
        groups(facts), left_out(facts), tables.rows,
        tables.data_from.isoformat() if tables.data_from else None,
        tables.data_until.isoformat() if tables.data_until else None, provenance(campaign)))


def edition(campaign: Campaign) -> Edition | None:
    return Edition(campaign.series.name, campaign.series.edition) if campaign.series else None


def heading(campaign: Campaign, language: str) -> Heading:
    period = {"start": str(campaign.period.start), "end": str(campaign.period.end)}
    return Heading(
        campaign.name, campaign.text(campaign.title, language), campaign.text(campaign.question, language),
        campaign.owner, language, campaign.currency, campaign.time_zone, period,  # type: ignore[arg-type]
        {name: campaign.text(text, language) for name, text in campaign.labels.items()})


def provenance(campaign: Campaign) -> Provenance:
    return made_of(campaign, [source for name in COLUMNS for source in getattr(campaign.sources, name) or ()])


def made_of(params: Params, sources: Sequence[Source]) -> Provenance:
    """The program, the params file and the files that these sources name."""
    found = {name: digest for source in sources for name, digest in origins(params, source).items()}
    libraries = {name: version(name) for name in ("duckdb", "ibis-framework", "scipy", "pandas")}
    return Provenance(
        version("campaign-analysis"), platform.python_version(), libraries, params_digest(params),
        dict(sorted(found.items())))


def params_digest(params: Params) -> str:
    """SHA-256 of the params file and, one behind the other, of those it extends, as `cat FILES | sha256sum` has it."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in params.files)).hexdigest()


def plain(value: Any) -> Any:
    """What JSON holds: nan is null, infinite bounds are "inf" and "-inf", ten significant digits."""
    if is_dataclass(value):
        return plain(asdict(value))  # type: ignore[arg-type]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else str(value) if math.isinf(value) else float(f"{value:.{DIGITS}g}")
    return value.isoformat() if isinstance(value, date) else value


def schema() -> str:
    """The text of `docs/results.schema.json`: JSON Schema of `results.json`."""
    return schema_of(Results)


def schema_of(record: type) -> str:
    """JSON Schema of what the record of a notebook becomes as `results.json`."""
    from pydantic import TypeAdapter

    tree = TypeAdapter(record).json_schema(mode="serialization")
    tree = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Results", **_nullable(tree)}
    return json.dumps(tree, indent=1) + "\n"


def _nullable(node: Any) -> Any:
    """A number may be null (with its reason beside it) or an infinite bound."""
    if isinstance(node, dict):
        if node.get("type") == "number":
            rest = {key: value for key, value in node.items() if key not in ("type", "default")}
            return {"anyOf": [{"type": "number"}, {"type": "null"}, {"enum": ["inf", "-inf"]}], **rest}
        return {key: _nullable(value) for key, value in node.items()}
    return [_nullable(item) for item in node] if isinstance(node, list) else node


def made_from(published: Published, reader: Reader) -> Html:
    """Provenance for the last section of the page."""
    made, say = published.results.provenance, reader.say
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    stamp = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return listed([
        (say("Made"), reader.moment(stamp)),
        (say("Program"), f"campaign-analysis {made.package}, Python {made.python}, "
         + ", ".join(f"{name} {number}" for name, number in made.libraries.items())),
        (say("Params"), f"{published.results.campaign.name}.yml, SHA-256 {made.params[:16]}"),
        (say("Data"), "; ".join(f"{name}, SHA-256 {digest[:16]}" if digest else name
                                for name, digest in made.sources.items()))])
