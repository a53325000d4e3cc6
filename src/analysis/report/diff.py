"""`campaign diff`: what changed between two reports, for a terminal."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict
from pathlib import Path

from analysis.data.editions import read_record
from analysis.params.paths import Unreadable
from analysis.params.problem import CampaignError, Problem
from analysis.results.editions.change import Since, since
from analysis.showing.editions import tables, words
from analysis.showing.reader import Reader
from analysis.showing.table import Table


def diff(before: Path, now: Path, as_json: bool = False) -> str:
    """Two reports' folders, or their `results.json`, as text or JSON. Raises CampaignError."""
    records = []
    problems = []
    for path in (before, now):
        try:
            records.append(read_record(path).content)
        except Unreadable as error:
            problems.append(Problem(str(error).partition(": ")[0], None, "", str(error).partition(": ")[2]))
    if problems:
        raise CampaignError(problems)
    found = since(*records)
    if as_json:
        from analysis.report.results import plain
        return json.dumps(plain(asdict(found)), ensure_ascii=False, indent=1)
    last = records[1]["campaign"]
    return text(found, Reader(currency=last["currency"], labels=last.get("labels") or {}))


def text(found: Since, reader: Reader) -> str:
    """Sentences, then each table with its columns under each other."""
    heads = [f"{found.before.name} -> {found.now.name}", *words.summary(found, reader), *words.turned(found, reader)]
    shown = [_aligned(tables.changes(found.changes, reader))] if found.changes else []
    shown += [_aligned(tables.left_out(found.left_out, reader))] if found.left_out else []
    return "\n\n".join(["\n".join(heads), *shown])


def _aligned(table: Table) -> str:
    rows = [[column.heading for column in table.columns], *([cell.text for cell in row] for row in table.rows)]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(table.columns))]
    lines = ["  ".join(_padded(text, width, column.is_number)
                       for column, width, text in zip(table.columns, widths, row, strict=True)) for row in rows]
    return "\n".join([table.caption, *(line.rstrip() for line in lines)])


def _padded(text: str, width: int, is_number: bool) -> str:
    blank = " " * (width - _width(text))
    return blank + text if is_number else text + blank


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
