"""Results that earlier runs left: one report's, or those of all editions of a series."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from analysis.params.editions import Editions
from analysis.params.model import Campaign
from analysis.params.paths import Unreadable
from analysis.params.problem import CampaignError


@dataclass(frozen=True, slots=True)
class Record:
    """One `results.json` of a review."""

    folder: str                # name of the report's folder
    content: dict[str, Any]

    @property
    def series(self) -> str:
        """Its name; "" for a campaign that is no edition."""
        return (self.content.get("series") or {}).get("name", "")

    @property
    def order(self) -> tuple[str, str, str]:
        """Editions stand in the order in which their periods begin."""
        period = self.content["campaign"]["period"]
        return period["start"], period["end"], self.content["campaign"]["name"]


def read_record(path: Path) -> Record:
    """What a report's folder, or its `results.json`, holds. Raises Unreadable."""
    file = path / "results.json" if path.is_dir() else path
    try:
        stat = file.stat()
        content = _parsed(file, stat.st_mtime_ns, stat.st_size)
        record = Record(file.absolute().parent.name, content)
        if content["notebook"] != "review":
            raise Unreadable(f"{file}: is of the notebook {content['notebook']}; only reviews can be compared")
        _ = record.order, record.series, content["verdict"]["answer"]   # what is asked of every record is there
    except FileNotFoundError:
        raise Unreadable(f"{file}: no such file; `campaign run` leaves one in the folder of a report") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{file}: is not the results.json of a report ({type(error).__name__})") from None
    return record


@lru_cache(maxsize=1_000)
def _parsed(file: Path, changed_ns: int, size: int) -> dict[str, Any]:
    """Read once while it does not change: each edition of a batch looks through all of them."""
    return json.loads(file.read_text("utf-8"))


def editions(reports: Path, series: str) -> list[Record]:
    """Every edition of a series that has a report in the folder, in order; what cannot be read is none."""
    return sorted((record for record in _reviews(reports) if record.series == series), key=lambda record: record.order)


def _reviews(reports: Path) -> Iterator[Record]:
    for file in sorted(reports.glob("*/results.json")):
        if not file.parent.name.startswith("."):   # work in progress
            try:
                yield read_record(file)
            except Unreadable:
                continue


def previous(campaign: Campaign, reports: Path | None = None) -> Record | None:
    """The edition before this one: of those that begin earlier (or end earlier, begun on one day) the last.

    reports   folder to look in; the one that the params name when not given
    """
    if campaign.series is None:
        return None
    own = (str(campaign.period.start), str(campaign.period.end), campaign.name)
    listed = editions(reports or reports_of(campaign), campaign.series.name)
    return next((record for record in reversed(listed) if record.order < own), None)


def read(params: Editions, reports: Path | None = None) -> list[Record]:
    """The editions of a series, in order. Raises CampaignError when none has a report."""
    found = editions(reports or reports_of(params), params.editions)
    if not found:
        raise CampaignError([params.problem(("editions",), (
            f"no edition of '{params.editions}' has a report in {reports or params.reports}; run their campaigns "
            f"first, with `series: {{name: {params.editions}, edition: ...}}` in their params"))])
    return found


def reports_of(params: Campaign | Editions) -> Path:
    """The folder in which editions are looked for."""
    return params.path.parent / params.series.reports
