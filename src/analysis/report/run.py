"""One params file from check to report; what is there stays until something better is whole."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from analysis.params import CampaignError, Experiments, Params, Problem, load

OK, BAD_PARAMS, FAILED = 0, 2, 3   # exit codes that a scheduler can act on
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one campaign ended."""

    name: str
    code: int
    message: str
    seconds: float = 0.0
    answer: str = ""       # the verdict's, as `results.json` has it


def campaign_files(paths: Sequence[Path]) -> list[Path]:
    """The params files that paths name; of a folder, every .yml and .yaml in it. Raises CampaignError."""
    found: list[Path] = []
    problems = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix in (".yml", ".yaml"))
            problems += [] if inside else [Problem(str(path), None, "", "has no .yml file")]
            found += inside
        else:
            found.append(path)
    names: dict[str, Path] = {}
    for path in dict.fromkeys(p.absolute() for p in found):
        first = names.setdefault(path.stem, path)
        if first != path:
            problems.append(Problem(
                str(path), None, "", f"has the same name as {first}; reports are named after files"))
    if problems:
        raise CampaignError(problems)
    return list(dict.fromkeys(found))


def check(path: Path, overrides: dict[str, Any], notebook: str = "") -> Params:
    """Params and data for a notebook, without a kernel. Raises CampaignError with all that is wrong."""
    params = load(path, overrides, "plan" if notebook == "plan" else "report")
    from analysis.data import read, read_past, summaries

    if isinstance(params, Experiments):
        summaries.read(params)
    elif notebook == "plan":
        read_past(params)
    else:
        read(params)
    return params


def own_notebook(params: Params) -> str:
    """The notebook that reports on a params file of this kind, whose report needs no name but the file's."""
    return "experiments" if isinstance(params, Experiments) else "review"


def run_all(
    paths: Sequence[Path], out: Path, overrides: dict[str, Any], progress: Callable[[str], Any], say: Say,
    notebook: str = "", codes: Mapping[str, int] = MappingProxyType({}),
) -> int:
    """Run a notebook for campaigns one after the other, rebuild the index, return the exit code.

    notebook   for all of them; each one's own when empty
    codes      answer of a report's verdict -> exit code, where a scheduler is to act on it; the largest counts

    A campaign with bad params or data is refused before any kernel starts; the others run. A file that the notebook is
    not for is left out. Raises CampaignError when the paths name no campaigns or `out` cannot be written.
    """
    good, failed, answered = [], OK, OK
    for path in campaign_files(paths):
        try:
            params = check(path, overrides, notebook)
        except CampaignError as error:
            say(str(error))
            failed = BAD_PARAMS
            continue
        if notebook and (notebook == "experiments") != isinstance(params, Experiments):
            say(f"{path}: left out: the notebook {notebook} is not for this kind of params file")
        else:
            good.append((path, params))
    if not good:
        return failed or BAD_PARAMS
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, campaign in good:
            outcome = run(path, campaign, out, overrides, progress(campaign.name), notebook)
            say(f"{outcome.name}: {outcome.message}")
            failed = failed or outcome.code
            answered = max(answered, codes.get(outcome.answer, OK))
        write_index(out)
    except OSError as error:
        raise CampaignError([Problem(str(out), None, "", f"cannot be written: {error.strerror or error}")]) from None
    say(f"reports: {out / 'index.html'}")
    return failed or answered


def folder_of(name: str, notebook: str) -> str:
    """The folder of a report: the params file's name, and the notebook's behind it unless it is the file's own."""
    return name if notebook in ("review", "experiments") else f"{name}.{notebook}"


def run(
    path: Path, campaign: Params, out: Path, overrides: dict[str, Any], tell: Any, notebook: str = ""
) -> Outcome:
    """Make one report of a campaign in `out/<folder>`; on failure the last good one is untouched. Raises OSError."""
    from analysis.report.execute import NotebookFailed, Timing, execute

    began, timing, notebook = time.perf_counter(), Timing(), notebook or own_notebook(campaign)
    folder = folder_of(campaign.name, notebook)
    place, failed, answer = out / folder, out / f"{folder}.failed.ipynb", ""
    with tempfile.TemporaryDirectory(prefix=f".{folder}-", dir=out, ignore_cleanup_errors=True) as work:
        executed, new = Path(work, "notebook.ipynb"), Path(work, "new")
        (new / "tables").mkdir(parents=True)
        try:
            for language in campaign.languages:
                executed.unlink(missing_ok=True)  # the one before went well
                execute(path, executed, {**overrides, "languages": [language]}, tell, timing, notebook)
                rendering = time.perf_counter()
                clean = _shareable(executed, path, place, overrides)
                answer = _publish(clean, new, language, is_main=language == campaign.language)
                timing.render_s += time.perf_counter() - rendering
        except (NotebookFailed, ValueError) as error:  # ValueError: the page refuses what the notebook shows
            return Outcome(campaign.name, FAILED, (
                f"FAILED: {error}\n{_kept(executed, failed)}  the last good report is unchanged"))
        seconds = time.perf_counter() - began
        parts = {key: value for key, value in asdict(timing).items() if key != "started"}
        _write(new / "run.json", _json({
            "status": "ok", "seconds": seconds, "overrides": _public(overrides), **parts}))
        swap(new, place, Path(work, "old"))
    failed.unlink(missing_ok=True)
    from analysis.report.index import VERDICTS

    return Outcome(campaign.name, OK, f"{VERDICTS[answer]} · {place / 'report.html'} ({seconds:.1f} s)", seconds,
                   answer)


def _kept(notebook: Path, failed: Path) -> str:
    """Keep the notebook as far as it got; where it is, in words."""
    if not notebook.exists():
        return ""
    os.replace(notebook, failed)
    return f"  the notebook up to there: {failed}\n"


def _publish(clean: Any, folder: Path, language: str, is_main: bool) -> str:
    """Write the page; in the main language the notebook, the tables and the results too. Raises ValueError.

    Returns the answer of the verdict.
    """
    import nbformat

    from analysis.report.render import render

    page = render(clean, language=language)
    _write(folder / ("report.html" if is_main else f"report.{language}.html"), page.html)
    if is_main:
        nbformat.write(clean, folder / "notebook.ipynb")
        _write(folder / "results.json", _json(page.results))
        for name, text in page.tables.items():
            _write(folder / "tables" / f"{name}.csv", text)
    return page.results["verdict"]["answer"]


def _shareable(notebook: Path, params: Path, folder: Path, overrides: dict[str, Any]) -> Any:
    """The executed notebook without times, machine paths and papermill's notes; it runs again from where it lies."""
    import nbformat

    from analysis.report.template.traces import without_traces

    tree = nbformat.read(notebook, as_version=4)
    tree.metadata.pop("papermill", None)
    there = Path(os.path.relpath(params.resolve(), folder.resolve()))
    if there.parts.count("..") > 2:  # not beside the reports: a path from there would tell of this machine
        there = Path(params.name)
    for i, cell in enumerate(tree.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        cell["id"] = f"cell-{i + 1:02d}"   # papermill draws a random one for what it injects
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = f'params_file = "{there.as_posix()}"\noverrides = {_public(overrides)!r}'
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = without_traces(output.text)
    return tree


def _public(overrides: dict[str, Any]) -> dict[str, str]:
    """What was overridden, without this machine's folders."""
    from analysis.report.template.traces import without_traces

    return {key: without_traces(str(value)) for key, value in overrides.items()}


def swap(new: Path, place: Path, aside: Path) -> None:
    """Put a whole folder in the place of another, which goes aside; at no moment is half of one there."""
    if place.exists():
        os.replace(place, aside)
    try:
        os.replace(new, place)
    except OSError:
        if aside.exists():
            os.replace(aside, place)
        raise


def write_index(out: Path) -> None:
    """index.html and index.json of all reports in a folder, in their language or, if they have several, English."""
    from analysis.report.index import build_index, read_entries
    from analysis.showing import Reader

    languages = {entry.language for entry in read_entries(out) if entry.language}
    index = build_index(out, Reader(languages.pop() if len(languages) == 1 else "en"))
    for name, text in (("index.html", index.html), ("index.json", index.json)):
        fresh = out / f".{name}"
        _write(fresh, text)
        os.replace(fresh, out / name)


def _json(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
