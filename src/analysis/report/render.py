"""From an executed notebook to the page a reviewer reads."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from analysis.report.template import LANG, LANGUAGES, exporter, frame, span
from analysis.report.template.layout import RESULTS, Layout
from analysis.showing.reader import LOCALES, Reader

SIZE = r"(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf)"
NUMBER = re.compile(rf"[+-]?{SIZE}|-?{SIZE} -?{SIZE}", re.I)   # or an interval
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # a spreadsheet runs what begins so; the wide signs too, in East Asian versions
# where a cell can begin: some take blanks and quotes before it away, and ; parts cells where , is the decimal sign
BEGINS = re.compile(r"(^|[;\t\r\n])([\s\"'\u200b\ufeff]*)(?=[=+\-@＝＋－＠])")


@dataclass
class Unfinished(ValueError):
    """The notebook did not run to its end, so there is nothing to publish."""

    said: str
    cell: int      # code cell that failed, or was the last that ran; from 1, 0 before the first
    cells: int     # code cells
    heading: str   # that it stands under
    error: str = ""   # name of the exception that the cell raised

    def __str__(self) -> str:
        return f"cell {self.cell} of {self.cells}, below '{self.heading}': {self.said}"


@dataclass(frozen=True)
class Page:
    """One report, ready to be written.

    html     the page, in need of no other file
    tables   name -> CSV text with a byte order mark, unrounded
    results  every number of the report, as the notebook's last cell gave them
    """

    html: str
    tables: dict[str, str]
    results: dict


def render(notebook: NotebookNode | Path | str, *, language: str | None = None,
           others: Mapping[str, str] | None = None) -> Page:
    """The page of an executed notebook, in `language` or else the campaign's. The same notebook gives the same bytes.

    others   language -> page of the same report beside this one

    Raises Unfinished when a cell failed or the last one did not hand over the results; writes nothing.
    """
    if not isinstance(notebook, dict):
        notebook = nbformat.read(notebook, as_version=4)
    results = finished(notebook, language or "en")
    reader = Reader(language or results["campaign"]["language"])
    layout = Layout(reader)
    for cell in notebook.cells:
        if is_for_report(cell, reader.language, results["blocks"]):
            layout.add(cell)
    html, _ = exporter().from_notebook_node(notebook, resources={
        **frame(reader), "title": results["campaign"]["title"], "campaign": results["campaign"],
        "others": [(LANG[each], LANGUAGES[each], page) for each, page in (others or {}).items()],
        "period": span(results["campaign"]["period"], reader),
        "sections": layout.sections, "tables": layout.tables, "code": layout.code,
        "log": layout.log})
    tables = {table.name: spreadsheet(table.columns, table.rows) for table in layout.tables}
    return Page(html, tables, results)


def finished(notebook: NotebookNode, language: str = "en") -> dict:
    """The results that the last code cell handed over; Unfinished, with the cell at fault, if there are none.

    language   of the heading that is named with the cell
    """
    number, heading, ran, outputs = 0, "", (0, ""), []
    n_cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and language in (cell.metadata.get("tags") or [language]):
            heading = next(iter(re.findall(r"^#+\s+(.+)", cell.source, re.M)[-1:]), heading)
        elif cell.cell_type == "code":
            number += 1
            if cell.source.strip():
                outputs = cell.outputs
            if outputs or cell.execution_count:
                ran = number, heading
            for output in outputs:
                if output.output_type == "error":
                    raise Unfinished(f"{output.ename}: {output.evalue}", number, n_cells, heading, output.ename)
    found = [output.data[RESULTS] for output in outputs if RESULTS in output.get("data", {})]
    if not found:
        raise Unfinished(f"the last cell did not hand over the results ({RESULTS}): the notebook was not run, was "
                         "stopped, or ends with another cell", ran[0], n_cells, ran[1])
    return found[-1]


def is_for_report(cell: NotebookNode, language: str, blocks: list[str]) -> bool:
    """By its tags: in the report's language, for a block that the campaign asks for, and not for the hand only."""
    tags = set(cell.metadata.get("tags", ()))
    languages = tags & LOCALES.keys()
    needs = {tag.removeprefix("needs-") for tag in tags if tag.startswith("needs-")}
    return "hand" not in tags and (not languages or language in languages) and needs <= set(blocks)


def spreadsheet(columns: list[str], rows: list[list[object]]) -> str:
    """CSV (RFC 4180) that a spreadsheet opens as UTF-8 and takes for text and numbers, never for formulas."""
    text = StringIO()
    text.write("\ufeff")
    csv.writer(text).writerows([_cell(value) for value in row] for row in [columns, *rows])
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isnan(value):
        return None
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    text = BEGINS.sub(r"\1'\2", value)
    return "'" + text if text.startswith(FORMULA) else text
