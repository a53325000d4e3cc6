"""Campaigns that come again: which series this one belongs to, and which of its editions it is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from analysis.params.part import Part

REPORTS = "../reports"   # beside the folder of params, where `campaign run` leaves them


class Series(Part):
    """What ties the editions of a campaign together. They stand in the order in which their periods begin."""

    name: Annotated[str, Field(min_length=1)]
    """the same for all editions"""
    edition: Annotated[str, Field(min_length=1)]
    """what this one is called: 8, or 2025"""
    reports: str = REPORTS
    """folder of the reports, relative to this params file, in which earlier editions are looked for; `campaign run`
    looks where it writes"""
