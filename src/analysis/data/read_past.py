"""What was known before a campaign: its sources without a single row of its period, as if it had not run yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date

import ibis
import pyarrow as pa
from ibis.backends.sql import SQLBackend
from ibis.expr.types import Table

from analysis.data.engine import Engine
from analysis.data.read import Tables, read
from analysis.data.typed import Shape, typed
from analysis.params.model import Campaign
from analysis.params.paths import Unreadable
from analysis.params.period import Period
from analysis.params.problem import CampaignError
from analysis.params.sources import Population

LONG_AGO = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class PastTables:
    """The tables before a campaign; nobody is assigned to an arm."""

    campaign: Campaign          # as far as the past can tell of it: its period is all the time before
    tables: Tables
    excluded: Table | None      # user_id, as text, of those who are to get no arm; in the tables' engine


def read_past(campaign: Campaign) -> PastTables:
    """Open, rename and type-check the sources; rows from the start of the period on are left out.

    Raises CampaignError with all that is wrong.
    """
    view = _before(campaign)
    tables = _ending(campaign, read(view))
    excluded = _excluded(campaign) if campaign.plan.exclude else None
    return PastTables(view, tables, excluded if excluded is None else _given(tables.connection, excluded))


def _before(campaign: Campaign) -> Campaign:
    """Without what only the campaign brings: arms, its own phases, and the events that funnels and retention name,
    which need not exist yet."""
    opens, _ = campaign.period.interval(campaign.time_zone)
    until = min(opens, campaign.end_of_data or opens)
    people = campaign.population
    return campaign.model_copy(update={
        "period": Period(start=LONG_AGO, end=campaign.local(opens)), "data_until": campaign.local(until),
        "sources": campaign.sources.model_copy(update={"assignments": None, "costs": None}),
        "population": Population(consent=people.consent, where=people.where), "effects": type(campaign.effects)(),
        "arms": None, "baseline": None, "after": None, "funnels": {}, "retention": None, "activity": None, "costs": {}})


def _ending(campaign: Campaign, tables: Tables) -> Tables:
    """Until the end of the last day with a row, where the params do not say until when the data are whole."""
    if campaign.data_until is not None:
        return tables
    last = campaign.end_of(campaign.local(tables.within[1].replace(tzinfo=UTC)).date())
    return replace(tables, data_until=min(last, tables.data_until))


def _excluded(campaign: Campaign) -> pa.Table:
    """Ids come to Python: a list of users who are left out is short beside what the others did."""
    source = campaign.plan.exclude
    try:
        engine = Engine.of(source if source.address and source.address.is_server else None)
        with engine.telling(source):
            table = typed(engine.opened(campaign, source), Shape({}, ["user_id"], campaign.time_zone), source)
            return table.select(user_id=table.user_id.cast("string")).distinct().drop_null().to_pyarrow()
    except Unreadable as error:
        raise CampaignError([campaign.problem(("plan", "exclude"), message) for message in error.args]) from None


def _given(connection: SQLBackend, rows: pa.Table) -> Table:
    """Rows of Python as a table of an engine; Ibis hands its own to Spark too late for what is kept there."""
    if connection.name != "pyspark":
        return ibis.memtable(rows)
    from analysis.data.spark import brought

    return brought(connection, ibis.memtable(rows))
