"""A folder with a params file and its data, as small as a test needs."""

from pathlib import Path

import yaml

from analysis.data.read import read
from analysis.params import CampaignError, load

WEEK = """
title: A week
question: What happened?
owner: tests
period: {start: 2025-11-11, end: 2025-11-17}
baseline: {start: 2025-11-04, end: 2025-11-10}
no_control_group: not needed here
metrics: {active: {any: events, role: primary}}
sources: {events: {path: events.csv}}
"""
EVENTS = "user_id,event,occurred_at\nann,visit,2025-11-11 10:00:00\nbob,visit,2025-11-12 00:00:00\n"


def tables(folder: Path, params: str = "", **files: str | bytes):
    """What `read` makes of a campaign that says `params` and else the week above.

    files   name with _ for the point -> content; events_csv is there when no file is given
    """
    said = {**yaml.load(WEEK, yaml.BaseLoader), **(yaml.load(params, yaml.BaseLoader) or {})}
    if "arms" in said:
        said.pop("no_control_group")
    said = {key: value or None for key, value in said.items()}
    for name, content in (files or {"events_csv": EVENTS}).items():
        path = folder / name.replace("_", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "week.yml").write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    return read(load(folder / "week.yml"))


def refusal(folder: Path, params: str = "", **files: str | bytes) -> list[str]:
    """The messages with which the campaign is refused."""
    try:
        tables(folder, params, **files)
    except CampaignError as error:
        assert all(problem.file.endswith("week.yml") for problem in error.problems)
        return [f"{problem.where}: {problem.message}" for problem in error.problems]
    return []


def rows(table, *columns: str) -> list[tuple]:
    """Rows of a table, sorted."""
    frame = table.select(*columns).to_pyarrow().to_pylist()
    return sorted((tuple(row[c] for c in columns) for row in frame), key=repr)
