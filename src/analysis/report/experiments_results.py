"""Every number of a report on many experiments in one record; its schema is `docs/experiments.schema.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.data.summaries import Summaries, SummaryRows
from analysis.report.results import Heading, Provenance, Published, made_of, schema_of
from analysis.results.experiments.checks import Compared
from analysis.results.experiments.effects import Effect
from analysis.results.experiments.splits import CLOSER_LOOK, GATE, ArmSplit
from analysis.results.experiments.tallies import Course, Tally
from analysis.results.trust import Check
from analysis.showing.reader import Reader
from analysis.stats.comparison import ALPHA

SCHEMA_VERSION = "1.0"  # raise the first number when a reader of older files would be misled


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels that every p of the report is held against."""

    alpha: float           # of claims, after the correction
    split_noted: float     # a split with a smaller p is noted
    split_failed: float    # one with a smaller p bars its experiment


@dataclass(frozen=True, slots=True)
class ExperimentsResults:
    """Numbers are plain, as in a campaign's record; null has its `reason` beside it."""

    schema_version: str
    notebook: Literal["experiments"]
    campaign: Heading           # of the params file; it has no period
    blocks: list[str]           # "looks" when some experiment was looked at more than once
    verdict: Compared
    checks: list[Check]
    levels: Levels
    correction: Literal["holm", "bh"]
    splits: list[ArmSplit]
    effects: list[Effect]
    tallies: list[Tally]
    courses: list[Course]
    rows: SummaryRows
    provenance: Provenance


def publish(
    summaries: Summaries, reader: Reader, verdict: Compared, checks: list[Check], splits: list[ArmSplit],
    effects: list[Effect], tallies: list[Tally], courses: Sequence[Course],
) -> Published:
    """Hand over all that the report says; the mark that the notebook ran to its end."""
    params = summaries.params
    heading = Heading(
        params.name, params.text(params.title, reader.language), params.text(params.question, reader.language),
        params.owner, reader.language, params.currency, params.time_zone, {"start": "", "end": ""})
    return Published(ExperimentsResults(
        SCHEMA_VERSION, "experiments", heading, ["looks"] if courses else [], verdict, checks,
        Levels(ALPHA, CLOSER_LOOK, GATE), params.correction, splits, effects, tallies, list(courses), summaries.rows,
        made_of(params, [params.experiments])))


def schema() -> str:
    """The text of `docs/experiments.schema.json`."""
    return schema_of(ExperimentsResults)
