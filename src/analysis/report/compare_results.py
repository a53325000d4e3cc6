"""Every number of a report on a series in one record; its schema is `docs/compare.schema.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analysis.data.editions import Record
from analysis.params.editions import Editions
from analysis.report.editions import digest
from analysis.report.results import Heading, Provenance, Published, made_of, schema_of
from analysis.results.editions.course import Apart, Compared, Course, Edition, Point
from analysis.showing.reader import Reader

SCHEMA_VERSION = "1.0"  # raise the first number when a reader of older files would be misled


@dataclass(frozen=True, slots=True)
class CompareResults:
    """Numbers are plain, as in a campaign's record."""

    schema_version: str
    notebook: Literal["compare"]
    campaign: Heading           # of the params file; its period is that of all editions
    blocks: list[str]           # "effects", "funnels": where an edition has them
    verdict: Compared
    editions: list[Edition]
    points: list[Point]
    apart: list[Apart]
    provenance: Provenance      # sources: folder of a report -> hash of what is taken from its results.json


def publish(params: Editions, records: Sequence[Record], found: Course, reader: Reader) -> Published:
    """Hand over all that the report says; the mark that the notebook ran to its end."""
    heading = Heading(
        params.name, params.text(params.title, reader.language), params.text(params.question, reader.language),
        params.owner, reader.language, params.currency, params.time_zone,
        {"start": found.editions[0].start, "end": max(edition.end for edition in found.editions)})
    kinds = {point.kind for point in found.points}
    blocks = [block for block, kind in (("effects", "effect"), ("funnels", "funnel")) if kind in kinds]
    made = replace(made_of(params, []), sources={record.folder: digest([record]) for record in records})
    return Published(CompareResults(
        SCHEMA_VERSION, "compare", heading, blocks, found.answer, found.editions, found.points, found.apart, made))


def schema() -> str:
    """The text of `docs/compare.schema.json`."""
    return schema_of(CompareResults)
