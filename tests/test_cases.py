"""Worked cases of other products, as data in `tests/cases`: the counts that must come out; `source` names each."""

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from analysis.results.funnel import funnel
from analysis.results.retention import retention
from tests.tables import observed

CASES = Path(__file__).parent / "cases"


def cases(kind):
    paths = sorted((CASES / kind).iterdir())
    return [pytest.param(json.loads(path.read_text("utf-8")), id=path.stem) for path in paths]


def log_of(case):
    """The events, and one of each step long before them: the data know every step."""
    rows = [{"user_id": user, "event": event, "occurred_at": at, **(props[0] if props else {})}
            for user, event, at, *props in case["events"]]
    steps = case["query"].get("steps", [])
    return pd.DataFrame(rows + [{"user_id": "long ago", "event": step["event"], "occurred_at": "1999-01-01T00:00:00Z"}
                                for step in steps])


def params_of(query, log, **more):
    """The range of the question, or else all the time there is; data to its end and the last window's."""
    days = [pd.Timestamp(day) for day in log["occurred_at"].str[:10] if day > "2000"]
    start, end = query.get("date_from", min(days).date()), query.get("date_to", max(days).date())
    later = pd.Timestamp(max(days)) + timedelta(days=400)
    until = query["as_of"][:19].replace("T", " ") if "as_of" in query else later.date()
    said = {"time_zone": query.get("tz", "UTC"), "period": {"start": str(start), "end": str(end)},
            "data_until": str(until), **more}
    return json.dumps(said)


@pytest.mark.parametrize("case", cases("funnel"))
def test_funnel(case):
    query, expected, log = case["query"], case["expected"], log_of(case)
    asked = {"steps": [step["event"] for step in query["steps"]], "entry": query["entry"],
             "window": "none" if query["window_s"] is None else f"{query['window_s']} seconds"}
    split, tables = query.get("breakdown", {}), {}
    if "user_prop" in split:
        tables["users"] = pd.DataFrame(split["user_prop"].items(), columns=["user_id", "group"])
    by = split.get("prop", "group") if split else ""
    asked["by"] = [by] if by else []
    found = funnel(observed(params_of(query, log, funnels={"path": asked}), events=log, **tables), "path")

    def steps(column="", value=""):
        return [step for step in found if (step.by, step.segment) == (column, value)]

    assert [step.n_reached for step in steps()] == expected["counts"]
    if "mature_counts" in expected:
        assert [step.n_converted for step in steps()] == expected["mature_counts"]
    for value, counts in expected.get("breakdown_counts", {}).items():
        assert [step.n_reached for step in steps(by, value)] == counts
    if "avg_s" in expected:  # of one user each, from the step before
        assert [step.median_seconds for step in steps()] == list(pd.Series([0, *expected["avg_s"][1:]]).cumsum())


@pytest.mark.parametrize("case", cases("retention"))
def test_retention(case):
    query, expected, log = case["query"], case["expected"], log_of(case)
    asked = {"start": query["start"]["event"], "returning": query["return"]["event"], "every": query["period"],
             "n_periods": query["n_periods"] - 1}
    cells = [cell for cell in retention(observed(params_of(query, log, retention=asked), events=log))
             if cell.flavour == query["mode"]]
    for cohort, counts in expected["cohorts"].items():
        found = {cell.period: cell.n_retained for cell in cells if str(cell.cohort) == cohort}
        is_open = expected.get("incomplete_cells", {}).get(cohort, [])
        assert found == {period: n for period, n in enumerate(counts) if period not in is_open}
    for period, pooled in expected.get("average", {}).items():
        cell = next(cell for cell in cells if cell.cohort is None and cell.period == int(period))
        assert (cell.n_retained, cell.n_users, cell.rate) == (pooled["retained"], pooled["eligible"], pooled["rate"])
