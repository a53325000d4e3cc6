"""Tiny campaigns from spec tables: what stands in a test is all there is.

    facts = observed("metrics: {orders: {count: orders, role: primary}}",
                     assignments="user|variant\\n ann|a\\n bob|b",
                     orders="user|at|amount\\n ann|03-05|5")
    rows(user_facts(facts, ["orders"], "during"), "user_id", "orders") == [("ann", 1.0), ("bob", 0.0)]
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import yaml

from analysis.data.columns import TIME
from analysis.data.read import read
from analysis.facts import observe
from analysis.facts.past import look_back
from analysis.params import load

WEEK = """
title: A week in March
question: What happened?
owner: tests
period: {start: 2024-03-04, end: 2024-03-10}
data_until: 2024-03-31
no_control_group: not needed here
min_cell_size: 1
metrics: {active: {any: events, role: primary}}
"""


def observed(params="", **tables):
    """Facts of a campaign that says `params` and else the week above.

    tables   users, assignments, events, orders, costs as frames, or as ASCII: a header, then a row per line, cells
             parted by | and empty for null; `user` and `at` are the user and the time, in 2024 (03-05 10:00);
             a list of them is a list of files
    """
    with TemporaryDirectory() as folder:
        campaign = load(written(Path(folder), params, tables))
        return observe(campaign, read(campaign))


def before(params="", **tables):
    """The past of such a campaign, as a plan knows it; arms need no assignments."""
    with TemporaryDirectory() as folder:
        return look_back(load(written(Path(folder), params, tables), purpose="plan"))


def written(folder, params, tables):
    """The params file in a folder with its tables."""
    said = {**yaml.load(WEEK, yaml.BaseLoader), **(yaml.load(params, yaml.BaseLoader) or {})}
    if "arms" in said:
        said.pop("no_control_group")
    said["sources"] = {name: {"path": f"{name}-*.csv"} for name in tables}
    for name, files in tables.items():
        for i, table in enumerate(files if isinstance(files, list) else [files]):
            frame = parsed(name, table) if isinstance(table, str) else table
            frame.to_csv(folder / f"{name}-{i}.csv", index=False)
    path = folder / "campaign.yml"
    said = {key: value for key, value in said.items() if value != ""}  # `data_until:` takes the week's own away
    path.write_text(yaml.safe_dump(said, sort_keys=False), "utf-8")
    return path


def parsed(name, text):
    """The frame that an ASCII table shows."""
    head, *body = [[cell.strip() or None for cell in line.split("|")] for line in text.strip().splitlines()]
    frame = pd.DataFrame(body, columns=head)
    if "at" in frame:
        frame["at"] = "2024-" + frame["at"]
    return frame.rename(columns={"user": "user_id", "at": TIME.get(name)})


def rows(table, *columns):
    """The rows of an Ibis table as sorted tuples of the columns named."""
    found = [tuple(row[c] for c in columns or table.columns) for row in table.to_pyarrow().to_pylist()]
    return sorted(found, key=lambda row: tuple((value is not None, value) for value in row))
