"""From an executed notebook to the files of a report: nothing of the machine in them, the same bytes each time."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def page_name(language: str, is_main: bool) -> str:
    """Of a report's languages the main one has the plain name."""
    return "report.html" if is_main else f"report.{language}.html"


def publish(clean: Any, folder: Path, language: str, languages: Sequence[str]) -> str:
    """Write the page; in the main language the notebook, the tables and the results too. Raises ValueError.

    languages   of the whole report, the main one first
    Returns the answer of the verdict.
    """
    import nbformat

    from analysis.report.render import render

    pages = {each: page_name(each, each == languages[0]) for each in languages}
    page = render(clean, language=language, others={each: name for each, name in pages.items() if each != language})
    write(folder / pages[language], page.html)
    if language == languages[0]:
        nbformat.write(clean, folder / "notebook.ipynb")
        write(folder / "results.json", as_json(page.results))
        for name, text in page.tables.items():
            write(folder / "tables" / f"{name}.csv", text)
    return page.results["verdict"]["answer"]


def shareable(notebook: Path, params: Path, folder: Path, overrides: dict[str, Any]) -> Any:
    """The executed notebook without times, machine paths and papermill's notes; it runs again from where it lies."""
    import nbformat

    tree = nbformat.read(notebook, as_version=4)
    tree.metadata.pop("papermill", None)
    by_papermill = any("injected-parameters" in cell.metadata.get("tags", []) for cell in tree.cells)
    there = Path(os.path.relpath(params.resolve(), folder.resolve()))
    if there.parts.count("..") > 2:  # not beside the reports: a path from there would tell of this machine
        there = Path(params.name)
    for i, cell in enumerate(tree.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        cell.metadata.pop("jupyter", None)   # a notebook run as a report has its code hidden
        cell["id"] = f"cell-{i + 1:02d}"   # papermill draws a random one for what it injects
        if ("injected-parameters" if by_papermill else "parameters") in cell.metadata.get("tags", []):
            cell.source = f'params_file = "{there.as_posix()}"\noverrides = {public(overrides)!r}'
        if "outputs" in cell:
            cell.outputs = streams_together(cell.outputs)
    return tree


def streams_together(outputs: list[Any]) -> list[Any]:
    """What was printed between two displays, stdout and stderr apart: a kernel sends them in no certain order."""
    from analysis.report.traces import without_traces

    found: list[Any] = []
    for output in outputs:
        if output.output_type != "stream":
            found.append(output)
            continue
        text = without_traces(output.text)
        since = next((i for i in range(len(found), 0, -1) if found[i - 1].output_type != "stream"), 0)
        same = next((other for other in found[since:] if other.name == output.name), None)
        if same:
            same.text += text
        else:
            found.append(output)
            output.text = text
            found[since:] = sorted(found[since:], key=lambda stream: stream.name, reverse=True)   # stdout first
    return found


def public(overrides: dict[str, Any]) -> dict[str, str]:
    """What was overridden, without this machine's folders."""
    from analysis.report.traces import without_traces

    return {key: without_traces(str(value)) for key, value in overrides.items()}


def as_json(tree: Any) -> str:
    """As records are written; raises ValueError for what JSON has no word for."""
    return json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def write(path: Path, text: str) -> None:
    """As UTF-8, line ends as they are."""
    path.write_text(text, encoding="utf-8", newline="")
