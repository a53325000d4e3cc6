"""What a file can say that puts the editions of a series side by side, from the reports that they left."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from analysis.params.report_file import ReportFile
from analysis.params.series import REPORTS, Series


class Editions(ReportFile):
    """A series of campaigns, one file, one report; its data are the reports of its editions."""

    editions: Annotated[str, Field(min_length=1)]
    """name of the series, as the params of its campaigns say it under `series:`"""
    reports: str = REPORTS
    """folder of their reports, relative to this params file; `campaign run` looks where it writes"""

    @property
    def series(self) -> Series:
        """The series, and where its reports are."""
        return Series(name=self.editions, edition="-", reports=self.reports)

    @property
    def time_zone(self) -> str:
        """Each edition has its own days; only the report's own date needs a zone."""
        return "UTC"
