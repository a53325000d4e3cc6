"""Watch campaigns while they run: as of which day, which of them can be watched, and what a scheduler is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from analysis.facts.ticks import is_hourly, planned_ticks
from analysis.params import CampaignError, Editions, Experiments, load
from analysis.params.model import Campaign
from analysis.report.outcome import BAD_PARAMS, OK

CODES = {"go_on": OK, "stop": 10, "over": 10, "broken": 20}   # exit codes; the largest counts


def watched(
    paths: Sequence[Path], overrides: dict[str, Any], as_of: str, say: Callable[[str], None]
) -> tuple[list[tuple[Path, dict[str, Any]]], int]:
    """The campaigns that can be watched, each with its overrides, and the exit code that the others ask for.

    as_of   a day (included) or a moment on the campaign's clock; "" for the last day that is over by now, or the end
            of the period if that is earlier
    """
    found, code = [], OK
    for path in paths:
        try:
            own = overrides | {"data_until": as_of or str(latest(_watchable(path, overrides)))}
            campaign = _watchable(path, own)
        except CampaignError as error:
            say(str(error))
            code = BAD_PARAMS
            continue
        if campaign.end_of_data <= campaign.period.interval(campaign.time_zone)[0]:
            say(f"{campaign.name}: begins on {campaign.first_day}; there is nothing to watch yet")
        else:
            found.append((path, own))
    return found, code


def _watchable(path: Path, overrides: dict[str, Any]) -> Campaign:
    """The campaign, if it has arms: what moves without a control group is not told from the days. CampaignError."""
    params = load(path, overrides)
    if isinstance(params, Experiments):
        raise CampaignError([params.problem(("experiments",), (
            "summaries of experiments cannot be watched; monitoring needs the rows of one campaign"))])
    if isinstance(params, Editions):
        raise CampaignError([params.problem(("editions",), "editions are over; watch the campaign that runs")])
    if params.arms is None:
        raise CampaignError([params.problem(("no_control_group",), (
            "monitoring needs arms drawn by chance (`arms:`), and this campaign has none; "
            "`campaign run` describes it"))])
    return params


def latest(campaign: Campaign) -> date | datetime:
    """The end of the last day (of a short campaign: hour) that is over by now and that the data cover, as far as the
    params say; before the first of them, yesterday."""
    now = min([_now(), *([campaign.end_of_data] if campaign.data_until else [])])
    over = [tick for tick in planned_ticks(campaign) if tick.ends <= now]
    if not over:
        return campaign.local(now).date() - timedelta(days=1)
    is_day = over[-1].ends == campaign.instant(over[-1].day + timedelta(days=1)) and not is_hourly(campaign)
    return over[-1].day if is_day else campaign.local(over[-1].ends)


def _now() -> datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
